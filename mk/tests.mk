# The tests: checks/ holds their programs. A native one is built plain, with AddressSanitizer and UBSan, and with
# ThreadSanitizer; a Windows one for x86_64 and i386.

check_flavours = plain asan tsan
check_flags_plain = -O2
check_flags_asan = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
check_flags_tsan = -O1 -g -fsanitize=thread
check_cppflags = $(AM_CPPFLAGS) -I$(srcdir)/tests/support -I$(srcdir)/tests/unit -I$(srcdir)/dlls/secur32

unit_tests = $(filter-out unit,$(basename $(notdir $(wildcard $(srcdir)/tests/unit/*.c))))
check_support = $(wildcard $(srcdir)/tests/support/*.c) $(srcdir)/tests/unit/unit.c $(srcdir)/dlls/secur32/handle_table.c

# check_rules FLAVOUR
define check_rules
checks/$(1)/%.o: $$(srcdir)/%.c
	$$(AM_V_CC)mkdir -p $$(@D) && $$(CC) $$(NATIVE_CFLAGS) $$(check_flags_$(1)) $$(check_cppflags) -MMD -MP -c $$< -o $$@
checks/$(1)/libcheck.a: $$(patsubst %.c,checks/$(1)/%.o,$$(native_sources) $$(check_support:$$(srcdir)/%=%))
	$$(AM_V_AR)rm -f $$@ && $$(AR) cr $$@ $$^
checks/$(1)/unit/%: checks/$(1)/tests/unit/%.o checks/$(1)/libcheck.a
	$$(AM_V_CCLD)mkdir -p $$(@D) && $$(CC) $$(check_flags_$(1)) -o $$@ $$^ -lcmocka $$(NATIVE_LIBS)
endef
$(foreach flavour,$(check_flavours),$(eval $(call check_rules,$(flavour))))
.SECONDARY:

check_programs = $(foreach flavour,$(check_flavours),$(unit_tests:%=checks/$(flavour)/unit/%))

# Windows programs of the tests: what tests/NAME/*.c make together is checks/ARCH-windows/NAME.exe.
pe_programs = $(patsubst $(srcdir)/tests/%/windows.mk,%,$(wildcard $(srcdir)/tests/*/windows.mk))

checks: $(check_programs)

check-local: all-local checks
	@test $(CMOCKA) = yes || { echo "make check needs cmocka (Debian: libcmocka-dev)"; exit 1; }
	BUILD=. $(srcdir)/tests/unit/run

.PHONY: checks
-include $(shell find checks -name '*.d' 2>/dev/null)
