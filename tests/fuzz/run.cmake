# Runs one fuzz target: its seeds first, then new inputs for POSTERN_FUZZ_SECONDS of the environment.
if(DEFINED ENV{POSTERN_FUZZ_SECONDS})
  set(SECONDS $ENV{POSTERN_FUZZ_SECONDS})
endif()
if(DICTIONARY)
  set(dictionary -dict=${DICTIONARY})
endif()
file(MAKE_DIRECTORY ${FOUND} ${SEEDS})
execute_process(
  COMMAND ${TARGET} ${FOUND} ${SEEDS} ${dictionary} -artifact_prefix=${FOUND}- -max_total_time=${SECONDS}
          -max_len=8192 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=1
  COMMAND_ECHO STDOUT RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${TARGET} has found something: the input is beside ${FOUND}")
endif()
