import Foundation

/// An append-only file. A killed process may leave a part of its last append.
package final class AppendedFile {
  private let path: String
  private let descriptor: Int32

  /// Opens an existing file.
  package init(_ path: String) throws {
    self.path = path
    try Descriptor.refuseUnusual(path, S_IFREG, for: "lines")
    descriptor = FileName.withBytes(path) { open($0, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) }
    if descriptor < 0 { throw systemError(path, errno, writing: true) }
  }

  deinit { close(descriptor) }

  /// Throws where there is something that is not a file of its own, such as a link, through which another file would be written.
  /// - Parameter purpose: what would be written there, for the error.
  package static func check(_ path: String, for purpose: String) throws { try Descriptor.refuseUnusual(path, S_IFREG, for: purpose) }

  /// Writes bytes at the end. They are on disk after `synchronize`.
  package func append(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try Descriptor.write(descriptor, $0, path: path) } }

  /// Flushes what was appended to disk.
  package func synchronize() throws { try Descriptor.synchronize(descriptor, path: path) }
}
