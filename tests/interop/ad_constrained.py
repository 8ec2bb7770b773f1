# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Constrained delegation (MS-SFU) in ad_world's domain: a front that goes on to a back in its clients' names, as its
account's attributes let it.
"""

import subprocess
from contextlib import contextmanager

from ad_domain import NETBIOS, PASSWORD
from ad_logon import (ALICE, REQUEST, WEB, described, environment, exchange_messages, identity, logged_on, our_client,
                      our_server)
from kerberos_exchange import pass_tokens
from peer import expect_status
from results import expect_equal

FRONT = 'svc-front', 'HTTP/front.dom.example'  # may go on to BACK with the ticket that it was shown
TRANSITION = 'FRONT$', 'HTTP/transition.dom.example'  # and in the name of whoever has shown it any
BACK = 'HTTP/back.dom.example'
SENSITIVE = identity('sensitive', NETBIOS)


def tickets_of(user, *options):
    """An environment with that user's tickets in its cache."""
    env = environment('nobody', KRB5CCNAME=f'FILE:/run/ccache-{user}')
    subprocess.run(['kinit.heimdal', *options, '--password-file=STDIN', user], input=PASSWORD + '\n', encoding='utf-8',
                   check=True, env=env, stdout=subprocess.DEVNULL)
    return env


@contextmanager
def arrived(who, front, client=None, server=None, **settings):
    """A server of FRONT's that WHO has logged on to."""
    account, target = front
    with logged_on(who, server or environment(account), client, target=target, **settings) as (_, acceptor):
        yield acceptor


def check_goes_on(who, front, user='alice', target=BACK, **settings):
    with arrived(who, front, **settings) as server:
        expect_equal(server.names(), f'{NETBIOS}\\{user}', 'who came')
        server.act_for_client(REQUEST, target)
        with our_server(environment('svc-back'), settings.get('package', 'Kerberos')) as back:
            pass_tokens(server, back)
            expect_equal(back.names(), f'{NETBIOS}\\{user}', 'who went on')
            expect_equal(server.session_key(), back.session_key(), 'session key')
            exchange_messages(server, back)


def check_goes_nowhere(who, front, status='SEC_E_NO_CREDENTIALS', target=BACK, **settings):
    with arrived(who, front, **settings) as server:
        server.act_for_client(REQUEST, target)
        expect_status(status, server.step)


def check_pac_of_proxied(domain):
    """The back learns of the client what the front did: the PAC is the client's own."""
    with arrived(ALICE, FRONT) as server:
        server.act_for_client(REQUEST, BACK)
        found = described(server.step(), 'svc-back')
    wanted = {'PAC': ["the server's signature holds"], 'EffectiveName': ['"alice"'],
              'LogonDomainName': [f'"{NETBIOS}"'], 'UserSid': [domain.sid('alice')]}
    expect_equal({name: found.get(name) for name in wanted}, wanted, 'what the PAC says')


def keytab_by(domain, *names):
    """An environment whose keytab has the one key by several of its account's names."""
    path = f'/run/{"-".join(name.replace("/", "_") for name in names)}.keytab'
    for name in names:
        domain.export_keys(name, path)
    return environment(KRB5_KTNAME=f'FILE:{path}')


def check_goes_on_by_password(account, target):
    """A front with an identity of its own, and no keytab."""
    own = identity(account, NETBIOS)
    with our_client(ALICE, target=target) as client, our_server(environment('nobody'), **own) as server, \
            our_server(environment('svc-back')) as back:
        pass_tokens(client, server)
        server.act_for_client(REQUEST, BACK)
        pass_tokens(server, back)
        expect_equal(back.names(), f'{NETBIOS}\\alice', 'who went on')


def run_constrained(case, domain):
    unforwardable = tickets_of('bob', '--no-forwardable')
    account, target = TRANSITION
    case('to the service that is allowed', check_goes_on, ALICE, FRONT)
    case('to the service that is allowed, Negotiate', check_goes_on, ALICE, FRONT, package='Negotiate')
    case('with the front\'s password', check_goes_on_by_password, *FRONT)
    case('to another service', check_goes_nowhere, ALICE, FRONT, target=WEB)
    case('to another service, Negotiate', check_goes_nowhere, ALICE, FRONT, target=WEB, package='Negotiate')
    case('to no service', check_goes_nowhere, ALICE, FRONT, 'SEC_E_TARGET_UNKNOWN', 'HTTP/nobody.dom.example')
    case('by an account that may go nowhere', check_goes_nowhere, ALICE, ('svc-web', WEB))
    case('by the back itself', check_goes_nowhere, ALICE, ('svc-back', BACK), target=FRONT[1])
    case('in the name of an account that is sensitive', check_goes_nowhere, SENSITIVE, FRONT)
    case('in its name with the right to protocol transition', check_goes_nowhere, SENSITIVE, TRANSITION)
    case('a ticket that may not be forwarded', check_goes_nowhere, {}, FRONT, client=unforwardable)
    case('the same, protocol transition', check_goes_on, {}, TRANSITION, 'bob', client=unforwardable)
    case('the same, to another service', check_goes_nowhere, {}, TRANSITION, client=unforwardable, target=WEB)
    case('protocol transition is not needed', check_goes_on, ALICE, TRANSITION)
    case("by the account's name, after a service's", check_goes_on, ALICE, TRANSITION,
         server=keytab_by(domain, target, account))
    case("by a service's name alone", check_goes_nowhere, ALICE, TRANSITION, server=keytab_by(domain, target))
    case('what the PAC says then', check_pac_of_proxied, domain)
