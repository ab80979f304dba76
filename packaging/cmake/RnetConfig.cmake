# RnetConfig.cmake: find_package(Rnet) gives the compiler, the library
# Rnet::rnet, and
#
#   rnet_generate(TARGET app MODELS digits.rnet ... [OPTIONS -D depth=20 ...])
#
# which compiles each model to NAME.c and NAME.h in the build folder, adds them
# to the target and links it with the library.
cmake_minimum_required(VERSION 3.20)

get_filename_component(_rnet_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
set(Rnet_VERSION "@VERSION@")
set(Rnet_EXECUTABLE "${_rnet_prefix}/bin/rnetc")

if(NOT TARGET Rnet::rnet)
    find_package(Threads REQUIRED)
    add_executable(Rnet::rnetc IMPORTED)
    set_target_properties(Rnet::rnetc PROPERTIES
        IMPORTED_LOCATION "${Rnet_EXECUTABLE}")
    add_library(Rnet::rnet STATIC IMPORTED)
    set_target_properties(Rnet::rnet PROPERTIES
        IMPORTED_LOCATION "${_rnet_prefix}/lib/librnet.a"
        INTERFACE_INCLUDE_DIRECTORIES "${_rnet_prefix}/include"
        INTERFACE_LINK_LIBRARIES "Threads::Threads;m")
endif()

function(rnet_generate)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "TARGET" "MODELS;OPTIONS")
    if(NOT arg_TARGET OR NOT arg_MODELS OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR
            "rnet_generate(TARGET target MODELS file.rnet ... [OPTIONS ...])")
    endif()
    foreach(model IN LISTS arg_MODELS)
        get_filename_component(source "${model}" ABSOLUTE)
        get_filename_component(name "${model}" NAME_WLE)
        set(base "${CMAKE_CURRENT_BINARY_DIR}/${name}")
        add_custom_command(
            OUTPUT "${base}.c" "${base}.h"
            COMMAND Rnet::rnetc ${arg_OPTIONS} -MD -MF "${base}.d"
                -MT "${base}.c" -o "${base}.c" "${source}"
            DEPENDS "${source}" Rnet::rnetc
            DEPFILE "${base}.d"
            COMMENT "rnetc ${name}.rnet"
            VERBATIM)
        target_sources(${arg_TARGET} PRIVATE "${base}.c" "${base}.h")
    endforeach()
    target_include_directories(${arg_TARGET} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}")
    target_link_libraries(${arg_TARGET} PRIVATE Rnet::rnet)
endfunction()
