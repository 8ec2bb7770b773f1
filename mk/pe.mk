# The Windows DLLs, each for x86_64 and i386: pe/ARCH holds objects, lib/countersign what is used and installed.

PE_CFLAGS = -std=gnu11 -g -O2 -Wall -Wextra -Wshadow -DSECURITY_WIN32 -DUNICODE -D_NO_KSECDD_IMPORT_ \
	-DWIN32_LEAN_AND_MEAN -I$(srcdir)/include -I$(srcdir)/dlls/countersign -I$(srcdir)/dlls/countersign/package \
	-I$(srcdir)/dlls/secur32
PE_LDFLAGS = -shared -s -static-libgcc -Wl,--exclude-all-symbols -Wl,--enable-stdcall-fixup

pe_arches = x86_64 i386
pe_modules = countersign secur32 sspicli security msv1_0 negotiate kerberos schannel

# What each is made of, and imports. The package code is linked into every security package.
pe_package = $(addprefix countersign/package/,client_token credman identity infos policy sp_context sp_credential \
	sp_environment sp_export sp_host sp_message sp_module sp_query sp_token sp_token_create sp_token_make)
pe_objects_countersign = countersign/bridge
pe_objects_msv1_0 = msv1_0/msv1_0 $(pe_package)
pe_imports_msv1_0 = countersign
pe_libs_msv1_0 = -ladvapi32 -lntdll
pe_objects_negotiate = negotiate/negotiate $(pe_package)
pe_imports_negotiate = countersign
pe_libs_negotiate = -ladvapi32 -lntdll
pe_objects_kerberos = $(addprefix kerberos/,kerberos kerberos_answers kerberos_calls) $(pe_package)
pe_imports_kerberos = countersign
pe_libs_kerberos = -ladvapi32 -lntdll
pe_objects_schannel = $(addprefix schannel/,schannel schannel_attributes schannel_certificate schannel_context \
	schannel_control schannel_credential schannel_default schannel_info schannel_issuers schannel_key schannel_message schannel_policy schannel_settings \
	schannel_stapled schannel_trust schannel_verify schannel_revocation) \
	countersign/package/sp_host
pe_imports_schannel = countersign
pe_libs_schannel = -lcrypt32 -ladvapi32 -lntdll
pe_objects_secur32 = $(addprefix secur32/,attributes auth_identity auth_identity_strings bridge_call call_origin caller contexts \
	credentials \
	handle_table interface lsa lsa_packages main messages names package_calls package_host package_host_newer package_host_refusals \
	package_infos package_join package_lists package_options packages performance sasl sspi_package text trace \
	trace_line trace_names trace_text unsupported) \
	countersign/package/client_token countersign/package/identity sspicli/attributes_ex
pe_libs_secur32 = -ladvapi32 -lntdll
pe_objects_sspicli = $(addprefix sspicli/,attributes_ex auth_identity_ex packages protected_user unsupported)
pe_imports_sspicli = secur32
pe_libs_sspicli = -ladvapi32
pe_objects_security = security/main

pe_cc_x86_64 = $(X86_64_CC)
pe_cc_i386 = $(I386_CC)
pe_target_x86_64 = x86_64-w64-mingw32
pe_target_i386 = i686-w64-mingw32

pe_dir = lib/countersign/$(1)-windows
pe_objects_of = $(patsubst %,pe/$(1)/%.o,$(pe_objects_$(2)))

# pe_arch_rules ARCH
define pe_arch_rules
pe/$(1)/%.o: $$(srcdir)/dlls/%.c
	$$(AM_V_CC)mkdir -p $$(@D) && $$(pe_cc_$(1)) $$(PE_CFLAGS) -MMD -MP -c $$< -o $$@
endef

# pe_module_rules ARCH MODULE. winebuild makes the export table; countersign.dll is marked as built in, so that Wine
# looks for its Unix half.
define pe_module_rules
pe/$(1)/$(2).spec.o: $$(srcdir)/dlls/$(2)/$(2).spec $$(call pe_objects_of,$(1),$(2))
	$$(AM_V_GEN)mkdir -p $$(@D) && $$(WINEBUILD) --dll -b $$(pe_target_$(1)) -E $$< -o $$@ $$(call pe_objects_of,$(1),$(2))
$$(call pe_dir,$(1))/lib$(2).a: $$(srcdir)/dlls/$(2)/$(2).spec
	$$(AM_V_GEN)mkdir -p $$(@D) && $$(WINEBUILD) --implib -b $$(pe_target_$(1)) -E $$< -o $$@
$$(call pe_dir,$(1))/$(2).dll: pe/$(1)/$(2).spec.o $$(call pe_objects_of,$(1),$(2)) $$(pe_imports_$(2):%=$$(call pe_dir,$(1))/lib%.a)
	$$(AM_V_CCLD)$$(pe_cc_$(1)) $$(PE_LDFLAGS) -o $$@ $$< $$(call pe_objects_of,$(1),$(2)) \
		$$(pe_imports_$(2):%=$$(call pe_dir,$(1))/lib%.a) $$(pe_libs_$(2))
	$$(if $$(filter countersign,$(2)),$$(AM_V_at)$$(WINEBUILD) --builtin $$@)
endef

$(foreach arch,$(pe_arches),$(eval $(call pe_arch_rules,$(arch))))
$(foreach arch,$(pe_arches),$(foreach module,$(pe_modules),$(eval $(call pe_module_rules,$(arch),$(module)))))

pe_dlls = $(foreach arch,$(pe_arches),$(pe_modules:%=$(call pe_dir,$(arch))/%.dll))
pe_implibs = $(foreach arch,$(pe_arches),$(patsubst %,$(call pe_dir,$(arch))/lib%.a,secur32 sspicli security))

# The Windows programs that are installed beside the DLLs.
pe_tools = klist

# pe_tool_rules ARCH TOOL
define pe_tool_rules
$$(call pe_dir,$(1))/$(2).exe: $$(wildcard $$(srcdir)/programs/$(2)/*.[ch])
	$$(AM_V_CCLD)mkdir -p $$(@D) && $$(pe_cc_$(1)) $$(PE_CFLAGS) -municode -s -o $$@ $$(filter %.c,$$^) \
		-lsecur32 -ladvapi32
endef
$(foreach arch,$(pe_arches),$(foreach tool,$(pe_tools),$(eval $(call pe_tool_rules,$(arch),$(tool)))))

pe_programs_installed = $(foreach arch,$(pe_arches),$(pe_tools:%=$(call pe_dir,$(arch))/%.exe))
-include $(shell find pe -name '*.d' 2>/dev/null)
