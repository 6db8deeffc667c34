import Foundation
import Primitives

/// The reader of our standard output has gone (`weir read … | head`): not a failure, the command ends quietly with success.
package struct BrokenPipe: Error, Sendable, CustomStringConvertible {
  /// Creates the error.
  package init() {}
  /// One line.
  package var description: String { "standard output: the reader has closed the pipe" }
}

/// Makes what the system said about `path` an error a person can act on.
/// - Parameters:
///   - path: the file or folder.
///   - code: the system's `errno`.
///   - writing: whether we wanted to write.
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
    return WeirError(place, "permission denied", remedy: writing ? "choose a place you may write to" : "ask for the right to read it")
  case EROFS: return WeirError(place, "read-only file system", remedy: "choose a place you may write to")
  case EISDIR: return WeirError(place, "is a folder, not a file", remedy: "give a file")
  case ENOTDIR: return WeirError(place, "a part of the path is a file, not a folder", remedy: "check the path")
  case ENOENT:
    return WeirError(
      place, "no such file or folder", remedy: writing ? "create the folder it is to be in first" : "check the path")
  case EEXIST, ENOTEMPTY: return WeirError(place, "exists", remedy: "remove it or choose another name")
  case EMFILE, ENFILE: return WeirError(place, "too many open files", remedy: "raise the limit (ulimit -n)")
  case ENAMETOOLONG: return WeirError(String(place.prefix(80)) + "…", "the name is too long", remedy: "choose a shorter one")
  case EIO: return WeirError(place, "input/output error", remedy: "check the disk")
  case ENOMEM: return WeirError(place, "not enough memory", remedy: "close other programs or use a larger machine")
  case ELOOP: return WeirError(place, "too many symbolic links", remedy: "check the path")
  default: return WeirError(place, String(cString: strerror(code)))
  }
}

/// How a path is called in messages: `-` is a standard stream.
package func displayName(_ path: String, writing: Bool = false) -> String {
  path == "-" ? (writing ? "standard output" : "standard input") : path
}
