/* status.c: statuses in words. */
#include "rnet.h"

const char *rnet_status_text(enum rnet_status status)
{
    switch (status) {
    case RNET_OK:          return "no error";
    case RNET_NULL:        return "a required pointer is NULL";
    case RNET_MISALIGNED:  return "a pointer is not 64-byte aligned";
    case RNET_TOO_SMALL:   return "the work memory is too small";
    case RNET_BAD_LABEL:   return "a class or token index is out of range";
    case RNET_BAD_BATCH:   return "the batch has a size that cannot be run";
    case RNET_BAD_VERSION: return "the emitted C and librnet are of "
                                  "different versions";
    case RNET_NO_MEMORY:   return "out of memory";
    case RNET_IO:          return "reading or writing a file failed";
    case RNET_BAD_FILE:    return "the file is not valid safetensors";
    case RNET_BAD_NAME:    return "a tensor is missing, extra or unknown";
    case RNET_BAD_SHAPE:   return "a tensor has another shape";
    case RNET_BAD_TYPE:    return "a tensor has a type that cannot be read";
    case RNET_NO_THREADS:  return "threads could not be created";
    case RNET_BAD_GRAPH:   return "the graph is damaged or has another size "
                                  "than the batch";
    }
    return "unknown status";
}
