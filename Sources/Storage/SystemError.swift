import Foundation
import Primitives

/// The reader of standard output has closed the pipe, as in `weir read … | head`. This is not a failure: the command exits with success.
package struct BrokenPipe: Error, Sendable, CustomStringConvertible {
  package init() {}
  package var description: String { "standard output: the reader has closed the pipe" }
}

/// The error for a failed system call.
/// - Parameters:
///   - path: the file or folder.
///   - code: the value of `errno`.
///   - writing: whether the call was to write.
package func systemError(_ path: String, _ code: Int32, writing: Bool = false) -> any Error {
  let place = displayName(path, writing: writing)
  switch code {
  case EPIPE: return BrokenPipe()
  case ENOSPC:
    return WeirError(place, "no space left on device", remedy: "free some space or write to another disk; nothing was committed")
  case EDQUOT:
    return WeirError(place, "disk quota exceeded", remedy: "free some space or write to another disk; nothing was committed")
  case EFBIG: return WeirError(place, "file too large", remedy: "raise the limit (ulimit -f) or write to another file system")
  case EACCES, EPERM:
    return WeirError(place, "permission denied", remedy: writing ? "choose a path that you can write to" : "check its permissions")
  case EROFS: return WeirError(place, "read-only file system", remedy: "choose a path that you can write to")
  case EISDIR: return WeirError(place, "is a folder, not a file", remedy: "give a file")
  case ENOTDIR: return WeirError(place, "a component of the path is a file, not a folder", remedy: "check the path")
  case ENOENT:
    return WeirError(place, "no such file or folder", remedy: writing ? "create its parent folder first" : "check the path")
  case EEXIST, ENOTEMPTY: return WeirError(place, "already exists", remedy: "remove it or choose another path")
  case EMFILE, ENFILE: return WeirError(place, "too many open files", remedy: "raise the limit (ulimit -n)")
  case ENAMETOOLONG: return WeirError(String(place.prefix(80)) + "…", "the name is too long", remedy: "choose a shorter name")
  case EIO: return WeirError(place, "input/output error", remedy: "check the disk")
  case ENOMEM: return outOfMemory(place)
  case ELOOP: return WeirError(place, "too many symbolic links", remedy: "check the path")
  default: return WeirError(place, String(cString: strerror(code)), remedy: "check the path and the disk")
  }
}

/// The error for an allocation that failed.
package func outOfMemory(_ place: String) -> WeirError {
  WeirError(place, "not enough memory", remedy: "close other programs or use a larger machine")
}

/// The name of a path in messages: `-` is a standard stream.
package func displayName(_ path: String, writing: Bool = false) -> String {
  path == "-" ? (writing ? "standard output" : "standard input") : path
}
