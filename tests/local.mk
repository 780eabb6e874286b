# SPDX-License-Identifier: GPL-2.0-or-later
# The test programs; a new one is a line here.
unit_tests = \
	tests/unit/test_account tests/unit/test_accounts tests/unit/test_auth tests/unit/test_auth_facts \
	tests/unit/test_auth_rules tests/unit/test_auth_tokens \
	tests/unit/test_base \
	tests/unit/test_catalog \
	tests/unit/test_ccm_headers \
	tests/unit/test_channels \
	tests/unit/test_clock \
	tests/unit/test_decode \
	tests/unit/test_decode_inner \
	tests/unit/test_decrypt \
	tests/unit/test_decrypt_records \
	tests/unit/test_defrag \
	tests/unit/test_dns \
	tests/unit/test_flow \
	tests/unit/test_flow_late \
	tests/unit/test_http \
	tests/unit/test_http2 \
	tests/unit/test_http_loss \
	tests/unit/test_inflate \
	tests/unit/test_inner \
	tests/unit/test_input \
	tests/unit/test_jwt \
	tests/unit/test_kerberos \
	tests/unit/test_message \
	tests/unit/test_message_header \
	tests/unit/test_message_kinds \
	tests/unit/test_message_replies \
	tests/unit/test_model \
	tests/unit/test_host \
	tests/unit/test_model_structs \
	tests/unit/test_multipart \
	tests/unit/test_names \
	tests/unit/test_known \
	tests/unit/test_naming \
	tests/unit/test_pair_others \
	tests/unit/test_observe \
	tests/unit/test_opened \
	tests/unit/test_overlap \
	tests/unit/test_pcapng \
	tests/unit/test_pcapng_write \
	tests/unit/test_proofs \
	tests/unit/test_reader \
	tests/unit/test_redact \
	tests/unit/test_relay \
	tests/unit/test_report \
	tests/unit/test_report_text \
	tests/unit/test_smb \
	tests/unit/test_tickets \
	tests/unit/test_tls \
	tests/unit/test_tls_prints \
	tests/unit/test_tls_ssl2 \
	tests/unit/test_keylog \
	tests/unit/test_lookups \
	tests/unit/test_verify \
	tests/unit/test_throttle \
	tests/unit/test_smb_model \
	tests/unit/test_throttle_lies \
	tests/unit/test_throttle_rules \
	tests/unit/test_timeline \
	tests/unit/test_verify_keys \
	tests/unit/test_win_auth \
	tests/unit/test_xml
prop_tests = \
	tests/prop/test_http \
	tests/prop/test_merge \
	tests/prop/test_schedule \
	tests/prop/test_smb \
	tests/prop/test_stream \
	tests/prop/test_tls
fuzz_replays = \
	tests/fuzz/replay_catalog \
	tests/fuzz/replay_certificate \
	tests/fuzz/replay_decode \
	tests/fuzz/replay_dns \
	tests/fuzz/replay_flow \
	tests/fuzz/replay_gss \
	tests/fuzz/replay_http \
	tests/fuzz/replay_decrypt \
	tests/fuzz/replay_http2 \
	tests/fuzz/replay_inner \
	tests/fuzz/replay_keylog \
	tests/fuzz/replay_jwt \
	tests/fuzz/replay_kerberos \
	tests/fuzz/replay_message \
	tests/fuzz/replay_obs_json \
	tests/fuzz/replay_opened \
	tests/fuzz/replay_reader \
	tests/fuzz/replay_smb \
	tests/fuzz/replay_tls \
	tests/fuzz/replay_verify
test_headers = \
	tests/fuzz/fuzz_parser.h \
	tests/unit/auth_driver.h \
	tests/unit/auth_vectors.h \
	tests/unit/capture_file.h \
	tests/unit/channels_driver.h \
	tests/unit/flow_driver.h \
	tests/unit/http2_talk.h \
	tests/unit/http_driver.h \
	tests/unit/make_tls_vectors.py \
	tests/unit/make_verify_vectors.py \
	tests/unit/message_driver.h \
	tests/unit/message_vectors.h \
	tests/unit/model_driver.h \
	tests/unit/packet_driver.h \
	tests/unit/parser_driver.h \
	tests/unit/sample.h \
	tests/unit/smb_messages.h \
	tests/unit/proofs_driver.h \
	tests/unit/ssl_talk.h \
	tests/unit/text.h \
	tests/unit/tls_driver.h \
	tests/unit/tls_vectors.h \
	tests/unit/verify_driver.h \
	tests/unit/verify_openssl.h \
	tests/unit/verify_reference.h
tests_unit_test_decrypt_LDADD = $(LDADD) $(SSL_LIBS)
tests_unit_test_decrypt_records_LDADD = $(LDADD) $(SSL_LIBS)
tests_unit_test_inner_LDADD = $(LDADD) $(SSL_LIBS)
# of the plugin, and without Wireshark
opened = dissector/wireshark/opened.c dissector/wireshark/opened.h
tests_unit_test_opened_SOURCES = tests/unit/test_opened.c $(opened)
tests_unit_test_opened_LDADD = $(LDADD) $(SSL_LIBS)
tests_unit_test_verify_SOURCES = tests/unit/test_verify.c tests/unit/verify_driver.c
tests_unit_test_verify_keys_SOURCES = tests/unit/test_verify_keys.c tests/unit/verify_driver.c

# each fuzz target is replayed over its stored inputs by `make check` ...
tests_fuzz_replay_catalog_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_catalog.c
tests_fuzz_replay_certificate_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_certificate.c
tests_fuzz_replay_decode_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_decode.c
tests_fuzz_replay_dns_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_dns.c
tests_fuzz_replay_flow_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_flow.c
tests_fuzz_replay_gss_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_gss.c
tests_fuzz_replay_http_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_http.c
tests_fuzz_replay_kerberos_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_kerberos.c
tests_fuzz_replay_decrypt_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_decrypt.c
tests_fuzz_replay_http2_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_http2.c
tests_fuzz_replay_inner_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_inner.c
tests_fuzz_replay_keylog_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_keylog.c
tests_fuzz_replay_jwt_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_jwt.c
tests_fuzz_replay_message_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_message.c
tests_fuzz_replay_obs_json_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_obs_json.c
tests_fuzz_replay_opened_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_opened.c $(opened)
tests_fuzz_replay_reader_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_reader.c
tests_fuzz_replay_smb_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_smb.c
tests_fuzz_replay_tls_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_tls.c
tests_fuzz_replay_verify_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_verify.c
# ... and, with --enable-fuzzers, is a libFuzzer program
if FUZZERS
noinst_PROGRAMS += \
	tests/fuzz/fuzz_catalog \
	tests/fuzz/fuzz_certificate \
	tests/fuzz/fuzz_decode \
	tests/fuzz/fuzz_dns \
	tests/fuzz/fuzz_flow \
	tests/fuzz/fuzz_gss \
	tests/fuzz/fuzz_http \
	tests/fuzz/fuzz_decrypt \
	tests/fuzz/fuzz_http2 \
	tests/fuzz/fuzz_inner \
	tests/fuzz/fuzz_keylog \
	tests/fuzz/fuzz_jwt \
	tests/fuzz/fuzz_kerberos \
	tests/fuzz/fuzz_message \
	tests/fuzz/fuzz_obs_json \
	tests/fuzz/fuzz_opened \
	tests/fuzz/fuzz_reader \
	tests/fuzz/fuzz_smb \
	tests/fuzz/fuzz_tls \
	tests/fuzz/fuzz_verify
tests_fuzz_fuzz_catalog_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_certificate_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_decode_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_dns_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_flow_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_gss_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_http_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_kerberos_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_decrypt_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_http2_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_inner_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_keylog_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_jwt_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_message_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_obs_json_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_opened_SOURCES = tests/fuzz/fuzz_opened.c $(opened)
tests_fuzz_fuzz_opened_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_reader_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_smb_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_tls_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_verify_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
