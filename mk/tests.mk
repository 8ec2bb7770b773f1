# The tests. checks/ holds the unit tests, built plain, with AddressSanitizer and UBSan, and with ThreadSanitizer;
# tests/ and samples/ the Windows programs, for x86_64 and i386.

check_flavours = plain asan tsan
check_flags_plain = -O2
check_flags_asan = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
check_flags_tsan = -O1 -g -fsanitize=thread
check_cppflags = $(AM_CPPFLAGS) -I$(srcdir)/tests/support -I$(srcdir)/tests/unit -I$(srcdir)/dlls/secur32 \
	-DTOOLS=\"$(abs_top_srcdir)/tools\" -DKDC_PLUGINS=\"$(abs_builddir)/tests/kdc/plugins\"

unit_tests = $(filter-out unit,$(basename $(notdir $(wildcard $(srcdir)/tests/unit/*.c))))
check_support = tests/unit/unit.c dlls/secur32/handle_table.c \
	$(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/tests/support/*.c $(srcdir)/tests/support/replay/*.c))

# The functions of the library in whose place those of a test's support stand (__wrap_FUNCTION), by the test's name.
unit_wraps_spnego_replay = cs_random cs_now ntlm_context_expiry ntlm_negotiate_write ntlm_challenge_write \
	ntlm_authenticate_write
unit_wraps_spnego_replay_attacks = $(unit_wraps_spnego_replay)
unit_wraps_tls_session_lock = cs_span_drop

# check_rules FLAVOUR
define check_rules
checks/$(1)/%.o: $$(srcdir)/%.c
	$$(AM_V_CC)mkdir -p $$(@D) && $$(CC) $$(NATIVE_CFLAGS) $$(check_flags_$(1)) $$(check_cppflags) -MMD -MP -c $$< -o $$@
checks/$(1)/libcheck.a: $$(patsubst %.c,checks/$(1)/%.o,$$(native_sources) $$(check_support))
	$$(AM_V_AR)rm -f $$@ && $$(AR) cr $$@ $$^
$$(unit_tests:%=checks/$(1)/unit/%): checks/$(1)/unit/%: checks/$(1)/tests/unit/%.o checks/$(1)/libcheck.a
	$$(AM_V_CCLD)mkdir -p $$(@D) && $$(CC) $$(check_flags_$(1)) $$(unit_wraps_$$*:%=-Wl,--wrap=%) -o $$@ $$^ \
		-lcmocka $$(NATIVE_LIBS)
endef
$(foreach flavour,$(check_flavours),$(eval $(call check_rules,$(flavour))))

unit_programs = $(foreach flavour,$(check_flavours),$(unit_tests:%=checks/$(flavour)/unit/%))

# The native side of the interoperation tests.
tests/interop/peer tests/interop/tls_peer: tests/interop/%: $(srcdir)/tests/interop/%.c \
		$(srcdir)/tests/interop/lines.c libcountersign.a
	$(AM_V_CCLD)mkdir -p $(@D) && $(CC) $(NATIVE_CFLAGS) -O2 $(AM_CPPFLAGS) -o $@ $^ $(NATIVE_LIBS)

# The other side, with one GSS-API library each. Their headers have the same names, so NATIVE_CFLAGS is not for these.
gss_peer_parts = $(addprefix $(srcdir)/,tests/interop/gss_peer.c tests/interop/lines.c dlls/countersign/unix/writer.c \
	dlls/countersign/unix/secure.c)
gss_peer_flags = -D_GNU_SOURCE -std=gnu11 -O2 -Wall -Wextra -Wshadow -Wconversion $(AM_CPPFLAGS)
gss_peer_libs = $(GNUTLS_LIBS) $(NETTLE_LIBS) -lpthread

tests/interop/gss_mit: $(gss_peer_parts)
	$(AM_V_CCLD)mkdir -p $(@D) && $(CC) $(gss_peer_flags) -DGSS_OF_MIT $$(krb5-config.mit --cflags gssapi) -o $@ $^ \
		$$(krb5-config.mit --libs gssapi) $(gss_peer_libs)
tests/interop/gss_heimdal: $(gss_peer_parts)
	$(AM_V_CCLD)mkdir -p $(@D) && $(CC) $(gss_peer_flags) $$($(KRB5_CONFIG) --cflags gssapi) -o $@ $^ \
		$$($(KRB5_CONFIG) --libs gssapi) $(gss_peer_libs)

# Loaded by the KDC of a test's realm; a folder of its own, for the KDC takes whatever is in it.
tests/kdc/plugins/pac.so: $(srcdir)/tests/kdc/pac_plugin.c
	$(AM_V_CCLD)mkdir -p $(@D) && $(CC) $(NATIVE_CFLAGS) -O2 -fPIC -shared -o $@ $<

# Preloaded into one of the Windows programs.
tests/bridge/clock.so: $(srcdir)/tests/bridge/clock.c
	$(AM_V_CCLD)mkdir -p $(@D) && $(CC) $(NATIVE_CFLAGS) -O2 -fPIC -shared -o $@ $<

# What each Windows program is made of, beside the headers of its folder, and links. FOLDER/ARCH/PROGRAM.exe comes out.
PE_PROGRAM_CFLAGS = -std=gnu11 -O2 -Wall -Wextra -Wshadow -DSECURITY_WIN32 -s
pe_programs = tests/conformance/conformance tests/exports/callall tests/trace/trace_secrets \
	tests/bridge/bad_pointers tests/bridge/extremes tests/bridge/stored tests/bridge/threads \
	tests/bridge/travel \
	tests/packages/packages tests/packages/host tests/packages/schannel tests/klist/messages tests/real/https_get \
	tests/real/libcurl_get tests/real/libpq_logon tests/real/postgres tests/real/https_logon tests/real/tls_verify \
	tests/tiers/rules \
	tests/tiers/many \
	samples/client samples/server samples/front samples/back
pe_parts_tests/conformance/conformance = $(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/tests/conformance/*.c))
pe_parts_tests/exports/callall = tests/exports/callall.c
pe_parts_tests/trace/trace_secrets = tests/trace/trace_secrets.c
pe_parts_tests/bridge/bad_pointers = tests/bridge/bad_pointers.c tests/bridge/pair.c
pe_parts_tests/bridge/extremes = tests/bridge/extremes.c tests/bridge/pair.c
pe_parts_tests/bridge/stored = tests/bridge/stored.c tests/bridge/pair.c
pe_parts_tests/bridge/threads = tests/bridge/threads.c tests/bridge/pair.c
pe_parts_tests/bridge/travel = tests/bridge/travel.c tests/bridge/pair.c
pe_parts_tests/packages/packages = $(patsubst %,tests/packages/%.c,packages adding cases contexts imports lacking lsa pair \
	refusals threads)
pe_parts_tests/packages/host = tests/packages/host.c tests/packages/cases.c
pe_parts_tests/packages/schannel = $(patsubst %,tests/packages/%.c,schannel schannel_pointers cases) \
	$(patsubst %,tests/conformance/%.c,schannel_pair schannel_certificates status)
pe_parts_tests/klist/messages = $(patsubst %,tests/klist/%.c,malformed messages tickets waiting) tests/packages/cases.c
pe_parts_tests/real/https_get = tests/real/https_get.c
pe_parts_tests/real/https_logon = tests/real/https_logon.c tests/real/tls_stream.c tests/packages/cases.c
pe_parts_tests/real/tls_verify = tests/real/tls_verify.c tests/real/tls_stream.c
pe_parts_tests/real/libcurl_get = tests/real/libcurl_get.c
pe_parts_tests/real/libpq_logon = tests/real/libpq_logon.c
pe_parts_tests/real/postgres = $(patsubst %,tests/real/%.c,postgres postgres_query postgres_wire) tests/packages/cases.c
pe_parts_tests/tiers/many = tests/tiers/many.c tests/tiers/parties.c tests/packages/cases.c
pe_parts_tests/tiers/rules = $(patsubst %,tests/tiers/%.c,rules tokens parties) tests/packages/cases.c
pe_parts_samples/client = samples/client.c samples/connect.c samples/talk.c
pe_parts_samples/server = samples/server.c samples/serve.c samples/talk.c
pe_parts_samples/front = samples/front.c samples/connect.c samples/serve.c samples/talk.c
pe_parts_samples/back = samples/back.c samples/serve.c samples/talk.c
pe_links_tests/conformance/conformance = -lsecur32 -lbcrypt -lcrypt32
pe_links_tests/trace/trace_secrets = -lsecur32
pe_links_tests/bridge/bad_pointers = -lsecur32
pe_links_tests/bridge/extremes = -lsecur32
pe_links_tests/bridge/stored = -lsecur32 -ladvapi32
pe_links_tests/bridge/threads = -lsecur32
pe_links_tests/bridge/travel = -lsecur32 -ladvapi32
pe_links_tests/packages/packages = -lsecur32 -ladvapi32
pe_links_tests/packages/host = -ladvapi32
pe_links_tests/packages/schannel = -lsecur32 -lbcrypt -lcrypt32
pe_links_tests/klist/messages = -lsecur32 -ladvapi32
pe_links_tests/real/https_get = -lwinhttp -lcrypt32
pe_links_tests/real/https_logon = -lsecur32 -lcrypt32 -lws2_32
pe_links_tests/real/tls_verify = -lsecur32 -lcrypt32 -lws2_32
pe_links_tests/real/postgres = -lsecur32 -lws2_32
pe_links_tests/tiers/many = -lsecur32 -ladvapi32
pe_links_tests/tiers/rules = -lsecur32 -ladvapi32
pe_links_samples/client = -lsecur32 -lws2_32
pe_links_samples/server = -lsecur32 -lws2_32
pe_links_samples/front = -lsecur32 -lws2_32
pe_links_samples/back = -lsecur32 -lws2_32

pe_program = $(dir $(2))$(1)/$(notdir $(2)).exe

# pe_program_rules ARCH PROGRAM
define pe_program_rules
$$(call pe_program,$(1),$(2)): $$(addprefix $$(srcdir)/,$$(pe_parts_$(2))) $$(wildcard $$(srcdir)/$$(dir $(2))*.h) \
		tests/exports/exports_table.h
	$$(AM_V_CCLD)mkdir -p $$(@D) && $$(pe_cc_$(1)) $$(PE_PROGRAM_CFLAGS) -Itests/exports -o $$@ $$(filter %.c,$$^) \
		$$(pe_links_$(2))
endef
$(foreach arch,$(pe_arches),$(foreach program,$(pe_programs),$(eval $(call pe_program_rules,$(arch),$(program)))))

# The DLLs that the tests of packages add, beside the program; --kill-at: i386 exports by Windows's plain names.
PE_TEST_DLL_FLAGS = $(PE_PROGRAM_CFLAGS) -DUNICODE -DWIN32_LEAN_AND_MEAN -D_NO_KSECDD_IMPORT_ -shared -static-libgcc \
	-Wl,--kill-at
pe_test_dlls = ssp_ap ssp not_package bare broken
pe_test_dll_ssp_ap = ssp_ap host_checks live toy
pe_test_dll_ssp = ssp live toy
pe_test_dll_not_package = not_package
pe_test_dll_bare = bare
pe_test_dll_broken = broken

# pe_test_dll_rules ARCH DLL
define pe_test_dll_rules
tests/packages/$(1)/$(2).dll: $$(pe_test_dll_$(2):%=$$(srcdir)/tests/packages/%.c) $$(wildcard $$(srcdir)/tests/packages/*.h)
	$$(AM_V_CCLD)mkdir -p $$(@D) && $$(pe_cc_$(1)) $$(PE_TEST_DLL_FLAGS) -o $$@ $$(filter %.c,$$^)
endef
$(foreach arch,$(pe_arches),$(foreach dll,$(pe_test_dlls),$(eval $(call pe_test_dll_rules,$(arch),$(dll)))))

tests/exports/exports_table.h: $(srcdir)/tests/exports/table.awk $(srcdir)/dlls/secur32/unsupported.tsv \
		$(srcdir)/tests/data/exports.tsv
	$(AM_V_GEN)mkdir -p $(@D) && awk -f $^ >$@

windows_programs = $(foreach arch,$(pe_arches),$(foreach program,$(pe_programs),$(call pe_program,$(arch),$(program))) \
	$(pe_test_dlls:%=tests/packages/$(arch)/%.dll))

unit: $(unit_programs) tests/kdc/plugins/pac.so
programs: all $(windows_programs) tests/interop/peer tests/interop/tls_peer tests/bridge/clock.so \
	tests/kdc/plugins/pac.so
checks: programs unit

check-local: all-local unit
	@test $(CMOCKA) = yes || { echo "make check needs cmocka (Debian: libcmocka-dev)"; exit 1; }
	COUNTERSIGN_BUILD=. $(srcdir)/tests/unit/run

.PHONY: unit programs checks
-include $(shell find checks -name '*.d' 2>/dev/null)
