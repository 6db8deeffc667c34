import Foundation

/// A file that grows by pieces, each of which is on disk when `append` returns; a killed process may leave a part of the last one.
package final class AppendedFile {
  private let path: String
  private let descriptor: Int32

  /// Opens a file that is there.
  package init(_ path: String) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    if descriptor < 0 { throw systemError(path, errno, writing: true) }
  }

  deinit { close(descriptor) }

  /// Appends bytes and waits until they are on disk.
  package func append(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try Descriptor.write(descriptor, $0, path: path) }
    try Descriptor.synchronise(descriptor, path: path)
  }
}
