# The stubs of the contract, generated from protos/ when the client is built; a system header to what includes it.
set(stubs_folder "${CMAKE_CURRENT_BINARY_DIR}/stubs")
file(MAKE_DIRECTORY "${stubs_folder}")

# Of this machine, also for another board. Debian's gRPC exports no target for its generator.
find_program(FACEWIRE_PROTOC protoc REQUIRED)
find_program(FACEWIRE_GRPC_PLUGIN grpc_cpp_plugin REQUIRED)

function(facewire_generate folder name)
  set(outputs "${stubs_folder}/${name}.pb.cc" "${stubs_folder}/${name}.pb.h")
  set(flags --cpp_out=${stubs_folder})
  if("grpc" IN_LIST ARGN)
    list(APPEND outputs "${stubs_folder}/${name}.grpc.pb.cc" "${stubs_folder}/${name}.grpc.pb.h")
    list(APPEND flags --grpc_out=${stubs_folder} --plugin=protoc-gen-grpc=${FACEWIRE_GRPC_PLUGIN})
  endif()
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND ${FACEWIRE_PROTOC} -I ${folder} ${flags} ${folder}/${name}.proto
    DEPENDS "${folder}/${name}.proto"
    VERBATIM)
  set(generated ${generated} ${outputs} PARENT_SCOPE)
endfunction()

facewire_generate("${FACEWIRE_PROTOS}" facewire/v1/face)
facewire_generate("${FACEWIRE_PROTOS}" facewire/v1/recognition grpc)
facewire_generate("${CMAKE_CURRENT_SOURCE_DIR}/src" status_details)

add_library(facewire_stubs STATIC ${generated})
target_include_directories(facewire_stubs SYSTEM PUBLIC "$<BUILD_INTERFACE:${stubs_folder}>")
set_target_properties(facewire_stubs PROPERTIES EXPORT_NAME stubs)
target_link_libraries(facewire_stubs PUBLIC gRPC::grpc++ protobuf::libprotobuf)
