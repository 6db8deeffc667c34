import Foundation

/// An append-only file. Bytes are on disk when `append` returns; a killed process may leave a part of its last append.
package final class AppendedFile {
  private let path: String
  private let descriptor: Int32

  /// Opens an existing file.
  package init(_ path: String) throws {
    self.path = path
    try Descriptor.refuseUnusual(path, S_IFREG)
    descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
    if descriptor < 0 { throw systemError(path, errno, writing: true) }
  }

  deinit { close(descriptor) }

  package func append(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try Descriptor.write(descriptor, $0, path: path) }
    try Descriptor.synchronize(descriptor, path: path)
  }
}
