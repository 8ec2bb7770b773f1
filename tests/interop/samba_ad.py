#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Our Kerberos and Negotiate in a domain of Active Directory: the KDC is Samba's, the tickets have PACs of its making.
Runs inside ad_world, which starts the KDC of ad_domain.py's domain.
"""

import subprocess
import sys

from ad_constrained import run_constrained
from ad_domain import BAD_LOGONS, NETBIOS, ODD_PASSWORD, PASSWORD, REALM, Domain, groups_of_many
from ad_logon import (ALICE, FOLDER, REQUEST, SERVER, WEB, clock, described, environment, exchange_messages, identity,
                      logged_on, our_client, our_server, weak)
from kerberos_exchange import CONFIDENTIALITY, DELEGATE, GSS_INTEGRITY, MUTUAL, ORDERED, GssPeer, pass_tokens
from kerberos_world import ETYPES
from peer import CONTINUE, expect_status
from results import Results, expect_equal
from spnego_message import TOKEN, content_of, init_fields

ASSERTED_IDENTITY = 'S-1-18-1'  # by the KDC (MS-SFU 4.5)


# ---- who logs on ----

def check_names(who, names, **settings):
    """What the PAC says the user is called, whatever the user has typed."""
    with logged_on(who, **settings) as (client, server):
        expect_equal(server.names(), f'{NETBIOS}\\{names}', 'names')
        expect_equal(client.session_key(), server.session_key(), 'session key')
        exchange_messages(client, server)


def run_identities(case):
    case('DOMAIN and user', check_names, ALICE, 'alice')
    case('DOMAIN\\user', check_names, identity(f'{NETBIOS}\\alice'), 'alice')
    case('domain\\user in other case', check_names, identity(f'{NETBIOS.lower()}\\ALICE'), 'alice')
    case('no domain', check_names, identity('alice'), 'alice')
    case('the DNS name of the domain', check_names, identity('alice', REALM), 'alice')
    case('the DNS name in lower case', check_names, identity('alice', REALM.lower()), 'alice')
    case('a UPN', check_names, identity('alice@dom.example'), 'alice')
    case('a UPN in other case', check_names, identity('Alice@Dom.Example'), 'alice')
    case('a UPN of another name', check_names, identity('robert@dom.example'), 'bob')
    case('a UPN that nobody wrote down', check_names, identity('bob@dom.example'), 'bob')
    case('a UPN of another suffix', check_names, identity('Jane.Smith@corp.example'), 'smith')
    case('a UPN of another suffix, in other case', check_names, identity('jane.smith@CORP.example'), 'smith')
    case('a name and a password outside ASCII', check_names, identity('jörg', NETBIOS, ODD_PASSWORD), 'jörg')
    case('a computer', check_names, identity('SERVER$', NETBIOS), 'SERVER$')
    case('no preauthentication', check_names, identity('no-preauth', NETBIOS), 'no-preauth')
    case('Negotiate', check_names, ALICE, 'alice', package='Negotiate')
    case('Negotiate, a UPN of another suffix', check_names, identity('Jane.Smith@corp.example'), 'smith',
         package='Negotiate')
    case("the user's ticket cache", check_cache, 'alice', 'alice')
    case("the user's ticket cache, canonical", check_cache, 'robert', 'bob', '--canonicalize')
    case("the user's ticket cache, enterprise name", check_cache, 'Jane.Smith@corp.example', 'smith', '--enterprise')


def check_cache(user, names, *options):
    env = environment(KRB5CCNAME='FILE:/run/ccache')
    subprocess.run(['kinit.heimdal', *options, '--password-file=STDIN', user], input=PASSWORD + '\n', encoding='utf-8',
                   check=True, env=env, stdout=subprocess.DEVNULL)
    check_names({}, names, client=env)


def check_refused(status, who, **settings):
    with our_client(who, **settings) as client:
        expect_status(status, client.step)


def check_counted(domain, who, status='SEC_E_LOGON_DENIED', **settings):
    """A logon that fails is one bad logon: whoever asks twice for it locks accounts in half the time."""
    before = domain.bad_logons('wrong')
    check_refused(status, who, **settings)
    expect_equal(domain.bad_logons('wrong'), before + 1, 'bad logons')


def check_locked():
    """As many wrong passwords as the domain allows: then the right one serves no more."""
    for _ in range(BAD_LOGONS):
        check_refused('SEC_E_LOGON_DENIED', identity('locked', NETBIOS, 'Secret-2'))
    check_refused('SEC_E_LOGON_DENIED', identity('locked', NETBIOS))


def run_refusals(case, domain):
    denied = 'SEC_E_LOGON_DENIED'
    case('a wrong password', check_counted, domain, identity('wrong', NETBIOS, 'Secret-2'))
    case('a wrong password, UPN', check_counted, domain, identity('wrong@dom.example', '', 'Secret-2'))
    case('a wrong password, UPN of another suffix', check_counted, domain,
         identity('wrong@corp.example', '', 'Secret-2'))
    case('a wrong password, Negotiate', check_counted, domain, identity('wrong', NETBIOS, 'Secret-2'),
         package='Negotiate')
    case('no password', check_counted, domain, identity('wrong', NETBIOS, ''))
    case('and the right one', check_names, identity('wrong', NETBIOS), 'wrong')
    case('an account that gets locked', check_locked)
    case('a disabled account', check_refused, denied, identity('disabled', NETBIOS))
    case('a password that must be changed', check_refused, denied, identity('expired', NETBIOS))
    case('an account that has expired', check_refused, denied, identity('gone', NETBIOS))
    case('an account without logon hours', check_refused, denied, identity('night', NETBIOS))
    case('an unknown user', check_refused, denied, identity('nobody', NETBIOS))
    case('an unknown UPN', check_refused, denied, identity('nobody@dom.example'))
    case('an unknown domain', check_refused, 'SEC_E_NO_AUTHENTICATING_AUTHORITY', identity('alice', 'ELSEWHERE'))
    case('no user', check_refused, 'SEC_E_NO_CREDENTIALS', {})
    for target in ('HTTP/nobody.dom.example', 'nothing/web.dom.example', 'alice', 'nobody@DOM.EXAMPLE'):
        case(f'an unknown target, {target}', check_refused, 'SEC_E_TARGET_UNKNOWN', ALICE, target=target)
        case(f'an unknown target, {target}, Negotiate', check_ntlm_instead, target)
    case('RC4 alone, Negotiate', check_refused, 'SEC_E_KDC_UNKNOWN_ETYPE', ALICE, target='test/rc4.dom.example',
         package='Negotiate')


def check_ntlm_instead(target):
    """Negotiate's initiator turns to NTLM where there is no ticket for the target to be had."""
    with our_client(ALICE, target=target, package='Negotiate') as client:
        token = content_of(init_fields(client.step())[TOKEN])
        expect_equal((client.status, token[:8]), (CONTINUE, b'NTLMSSP\0'), 'status and token')


# ---- targets ----

def check_target(target, account):
    with logged_on(server=environment(account), target=target) as (client, server):
        expect_equal(client.target_name(), target, "the client's target")
        expect_equal(server.target_name(), target, "what the client says of it")


def run_targets(case):
    """The keytab has the account's own name alone."""
    for target in (WEB, 'HTTP/web', 'http/web.dom.example', 'HTTP/WEB.Dom.Example'):
        case(target, check_target, target, 'svc-web')
    case(f'{WEB}@{REALM}', check_target, f'{WEB}@{REALM}', 'svc-web')
    case(f'{WEB}@{REALM.lower()}', check_target, f'{WEB}@{REALM.lower()}', 'svc-web')
    for target in (SERVER, 'host/server.dom.example', 'HOST/server', 'SERVER$', 'server'):
        case(target, check_target, target, 'SERVER$')
    for target in ('cifs/server.dom.example', 'RPCSS/SERVER', 'http/server'):  # what the directory takes HOST for
        case(target, check_target, target, 'SERVER$')
    case("another account's keys", check_other_keys)
    case('a request that is replayed', check_replayed)
    case('a ticket that is altered', check_altered)


def check_other_keys():
    with our_client(ALICE) as client, our_server(environment('svc-aes256')) as server:
        expect_status('SEC_E_WRONG_PRINCIPAL', server.step, client.step())


def check_replayed():
    with our_client(ALICE) as client, our_server() as first, our_server() as second:
        token = client.step()
        first.step(token)
        expect_status('SEC_E_LOGON_DENIED', second.step, token)


def check_altered():
    """Wherever that is in what is encrypted. Each server has its own replay cache: none refuses it for a replay."""
    with our_client(ALICE) as client:
        token = client.step()
    with our_server() as server:
        server.step(token)
    # An encryption type with a ciphertext after it, and no key version: where the authenticator begins.
    middle = token.rindex(b'\xa0\x03\x02\x01\x12\xa2')
    for at in (*range(150, middle - 12, 61), *range(middle + 16, len(token), 61)):
        with our_server(environment(COUNTERSIGN_REPLAY_CACHE=f'/run/replays-{at}')) as server:
            altered = token[:at] + bytes((token[at] ^ 1,)) + token[at + 1:]
            expect_status('SEC_E_WRONG_PRINCIPAL' if at < middle else 'SEC_E_LOGON_DENIED', server.step, altered)


# ---- keys ----

def check_etype(name, etype):
    account, target = f'svc-{name}', f'test/{name}.dom.example'
    with logged_on(server=environment(account), target=target) as (client, server):
        expect_equal(client.etype(), ETYPES[etype][0], 'encryption type')
        exchange_messages(client, server)


def check_rc4():
    """Such an account's tickets and session keys are RC4's: it takes both sides' krb5.conf to allow it."""
    target = 'test/rc4.dom.example'
    check_refused('SEC_E_KDC_UNKNOWN_ETYPE', ALICE, target=target)
    with our_client(ALICE, weak(), target) as client, our_server(environment('svc-rc4')) as server:
        expect_status('SEC_E_NO_KERB_KEY', server.step, client.step())
    with logged_on(server=weak('svc-rc4'), target=target) as (client, server):
        expect_equal(client.etype(), ETYPES['rc4'][0], 'encryption type')
        expect_equal(server.names(), f'{NETBIOS}\\alice', 'names')


def check_default_etypes():
    """Where an account does not say what it takes, its tickets are RC4's, and session keys AES's (CVE-2022-37966)."""
    target = 'test/default.dom.example'
    with our_client(ALICE, target=target) as client, our_server(environment('svc-default')) as server:
        expect_status('SEC_E_NO_KERB_KEY', server.step, client.step())
    with logged_on(client=environment(), server=weak('svc-default'), target=target) as (client, server):
        expect_equal(client.etype(), ETYPES['aes256-sha1'][0], 'encryption type')
        expect_equal(server.names(), f'{NETBIOS}\\alice', 'names')


def check_derived_keys(user, domain, target):
    """A server that has its account's password instead of a keytab."""
    env = environment('nobody')
    with our_client(ALICE, target=target) as client, our_server(env, **identity(user, domain)) as server:
        pass_tokens(client, server)
        expect_equal(server.names(), f'{NETBIOS}\\alice', 'names')


def check_renewed_password(domain):
    """Old tickets and old keys serve each other still; a server takes new keys up without being told."""
    account, target, env = 'svc-renewed', 'test/renewed.dom.example', environment('svc-renewed')
    with our_client(ALICE, env, target) as early, our_client(ALICE, env, target) as late, \
            our_client(ALICE, env, target) as again, our_server(env) as before, our_server(env) as between, \
            our_server(env) as after:
        token = early.step()
        domain.set_password(account, 'Secret-2')
        early.step(before.step(token))
        expect_equal(before.names(), f'{NETBIOS}\\alice', 'names with the old key')
        expect_status('SEC_E_WRONG_PRINCIPAL', between.step, late.step())
        domain.export_keys(account)
        pass_tokens(again, after)
        expect_equal(after.names(), f'{NETBIOS}\\alice', 'names with the new key')


def run_keys(case, domain):
    case('AES-128', check_etype, 'aes128', 'aes128-sha1')
    case('AES-256', check_etype, 'aes256', 'aes256-sha1')
    case('RC4', check_rc4)
    case('an account that does not say', check_default_etypes)
    case("keys of a user's password", check_derived_keys, 'svc-web', NETBIOS, WEB)
    case("keys of a user's password, UPN", check_derived_keys, 'svc-web@dom.example', '', WEB)
    case("keys of a computer's password", check_derived_keys, 'SERVER$', NETBIOS, SERVER)
    case('a password changed meanwhile', check_renewed_password, domain)


# ---- clocks ----

def check_clock(client, server):
    with our_client(ALICE, clock(client)) as initiator, our_server(clock(server)) as acceptor:
        pass_tokens(initiator, acceptor)
        expect_equal(acceptor.names(), f'{NETBIOS}\\alice', 'names')


def check_server_behind():
    """A ticket that is not valid yet is no matter of the client's clock."""
    with our_client(ALICE) as client, our_server(clock(-3600)) as server:
        expect_status('SEC_E_TIME_SKEW', server.step, client.step())


def run_clocks(case):
    for hours in (-1, 1):
        case(f"the client's clock {hours:+d} h", check_clock, hours * 3600, 0)
    case("the server's clock +1 h", check_clock, 0, 3600)
    case("the server's clock -1 h", check_server_behind)


# ---- delegation ----

def check_delegation(who, account, target, wanted):
    with logged_on(who, environment(account), target=target, request=REQUEST | DELEGATE) as (client, server):
        expect_equal((client.flags() & DELEGATE, server.flags() & DELEGATE), (wanted, wanted), 'flags granted')
        if not wanted:
            expect_status('SEC_E_NO_CREDENTIALS', server.delegate, WEB)
            return
        server.delegate(WEB)
        with our_server() as second:
            pass_tokens(server, second)
            expect_equal(second.names(), f'{NETBIOS}\\{who["user"]}', 'who came')


def run_delegation(case):
    trusted = 'svc-deleg', 'test/deleg.dom.example'
    case('to an account that is trusted for it', check_delegation, ALICE, *trusted, DELEGATE)
    case('to one that is not', check_delegation, ALICE, 'svc-web', WEB, 0)
    case('of an account that is sensitive', check_delegation, identity('sensitive', NETBIOS), *trusted, 0)


# ---- PACs ----

def check_pac(domain, user, upn, groups, account='svc-web', target=WEB):
    """GROUPS: those besides the one that every user is in, which the directory gives the SIDs of. Of groups that are
    not the domain's, newer releases of Samba name more than older ones."""
    own = domain.sid(user).rpartition('-')[0]
    wanted = {'PAC': ["the server's signature holds"], 'EffectiveName': [f'"{user}"'],
              'LogonDomainName': [f'"{NETBIOS}"'], 'Upn': [f'"{upn}"'], 'DnsDomainName': [f'"{REALM}"'],
              'UserSid': [domain.sid(user)], 'PrimaryGroupId': ['513']}
    with our_client(identity(user, NETBIOS), target=target) as client:
        found = described(client.step(), account)
    expect_equal({name: found.get(name) for name in wanted}, wanted, 'what the PAC says')
    expect_equal(sorted(sid for sid in found['Group'] if sid.startswith(f'{own}-')),
                 sorted(map(domain.sid, ('Domain Users', *groups))), 'groups of the domain')
    expect_equal(ASSERTED_IDENTITY in found['Group'], True, 'who vouches for the user is said')


def run_pacs(case, domain):
    many = groups_of_many()
    case('of a usual user', check_pac, domain, 'alice', 'alice@dom.example', ())
    case('UPN of another suffix', check_pac, domain, 'smith', 'Jane.Smith@corp.example', ())
    case('of a user in many groups', check_pac, domain, 'many', 'many@dom.example', many)
    # With what a KDC tells itself there: PAC_ATTRIBUTES_INFO and PAC_REQUESTOR (MS-PAC 2.14, 2.15).
    case("of a ticket-granting ticket", check_pac, domain, 'alice', 'alice@dom.example', (), 'krbtgt',
         f'krbtgt/{REALM}')


def check_large_token(package):
    """Too large for a datagram, and for Windows's first MaxTokenSize: SEC_E_BUFFER_TOO_SMALL (Waffle's issue 273)."""
    who = identity('many', NETBIOS)
    with our_client(who, package=package, room=12000) as client, our_server(package=package) as server:
        expect_status('SEC_E_BUFFER_TOO_SMALL', client.step)
        client.set_room(48000)
        pass_tokens(client, server)
        expect_equal(server.names(), f'{NETBIOS}\\many', 'names')
        expect_equal(client.session_key(), server.session_key(), 'session key')


def run_large(case):
    case('Kerberos', check_large_token, 'Kerberos')
    case('Negotiate', check_large_token, 'Negotiate')
    case('delegated', check_delegation, identity('many', NETBIOS), 'svc-deleg', 'test/deleg.dom.example', DELEGATE)


# ---- others ----

def check_their_server(library, package, mech):
    with our_client(ALICE, package=package) as client, GssPeer(library, 'accept', environment(), mech=mech) as server:
        pass_tokens(client, server)
        expect_equal(server.names(), f'alice@{REALM}', 'their initiator')
        expect_equal(client.session_key(), server.session_key(), 'session key')


def check_their_client(library, package, mech):
    env = environment(KRB5CCNAME='FILE:/run/ccache-theirs')
    subprocess.run(['kinit.heimdal', '--password-file=STDIN', 'alice'], input=PASSWORD + '\n', encoding='utf-8',
                   check=True, env=env, stdout=subprocess.DEVNULL)
    with GssPeer(library, 'init', env, mech=mech, target=f'{WEB}@{REALM}',
                 request=MUTUAL | ORDERED | CONFIDENTIALITY | GSS_INTEGRITY) as client, \
            our_server(package=package) as server:
        pass_tokens(client, server)
        expect_equal(server.names(), f'{NETBIOS}\\alice', 'names')
        # Theirs do not say it, and the account has a key for several names, of which the keytab knows one.
        expect_equal(server.target_name(), '', 'target')
        expect_equal(client.session_key(), server.session_key(), 'session key')


def run_others(case):
    for library in ('mit', 'heimdal'):
        for package, mech in (('Kerberos', 'kerberos'), ('Negotiate', 'spnego')):
            case(f'{library}, {package}, as server', check_their_server, library, package, mech)
            case(f'{library}, {package}, as client', check_their_client, library, package, mech)


def main():
    if len(sys.argv) > 1:
        sys.exit('usage: ad_world samba_ad.py (COUNTERSIGN_BUILD names the build tree)')
    results, domain = Results(), Domain(FOLDER)

    def part(name):
        return lambda what, *arguments, **settings: results.case(f'{name}: {what}', *arguments, **settings)

    run_identities(part('identity'))
    run_refusals(part('refusal'), domain)
    run_targets(part('target'))
    run_keys(part('keys'), domain)
    run_clocks(part('clocks'))
    run_delegation(part('delegation'))
    run_constrained(part('constrained delegation'), domain)
    run_pacs(part('PAC'), domain)
    run_large(part('large token'))
    run_others(part('GSS-API'))
    results.end()


if __name__ == '__main__':
    main()
