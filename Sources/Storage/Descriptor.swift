import CZstd
import Foundation

/// System calls on file descriptors, with errors that name the path.
enum Descriptor {
  /// Opens a file for reading.
  /// - Throws: `WeirError`, also where the path is a folder.
  static func openForReading(_ path: String) throws -> Int32 {
    // Without O_NONBLOCK, opening a FIFO would wait for its writer, and no signal could end that.
    let descriptor = FileName.withBytes(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    if descriptor < 0 { throw systemError(path, errno) }
    var status = stat()
    if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      close(descriptor)
      throw systemError(path, EISDIR)
    }
    if status.st_mode & S_IFMT == S_IFIFO {
      do { try StopRequest.waitForInput(descriptor) } catch {
        close(descriptor)
        throw error
      }
    }
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
    return descriptor
  }

  /// Reads up to `buffer.count` bytes; 0 at the end.
  static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, path: String) throws -> Int {
    guard let base = buffer.baseAddress, buffer.count > 0 else { return 0 }
    while true {
      try StopRequest.waitForInput(descriptor)
      let count = Foundation.read(descriptor, base, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw systemError(path, errno) }
    }
  }

  /// Writes all of `bytes`.
  static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, path: String) throws {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      // A single call writes at most 2 GiB on Linux, and fails above that on macOS.
      let count = Foundation.write(descriptor, base + done, min(bytes.count - done, 1 << 30))
      if count >= 0 {
        done += count
      } else if errno != EINTR {
        throw systemError(path, errno, writing: true)
      }
    }
  }

  /// Writes `head` and then `bytes` (less than 1 GiB), in a single system call where possible.
  static func write(_ descriptor: Int32, _ head: [UInt8], _ bytes: UnsafeRawBufferPointer, path: String) throws {
    let done = try head.withUnsafeBytes { head in
      var parts = [
        iovec(iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress), iov_len: head.count),
        iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count),
      ]
      while true {
        let count = writev(descriptor, &parts, 2)
        if count >= 0 { return count }
        if errno != EINTR { throw systemError(path, errno, writing: true) }
      }
    }
    if done < head.count { try head[done...].withUnsafeBytes { try write(descriptor, $0, path: path) } }
    try write(descriptor, UnsafeRawBufferPointer(rebasing: bytes[max(0, done - head.count)...]), path: path)
  }

  /// Starts writing a range back to disk, without waiting.
  static func beginWriteBack(_ descriptor: Int32, _ range: Range<Int>) {
    #if os(Linux)
    weir_begin_write_back(descriptor, range.lowerBound, range.count)
    #endif
  }

  /// Flushes a file to disk. Devices and pipes are ignored.
  static func synchronize(_ descriptor: Int32, path: String) throws {
    if fsync(descriptor) != 0, errno != EINVAL, errno != ENOTSUP, errno != EROFS { throw systemError(path, errno, writing: true) }
  }

  /// Flushes the entries of a folder to disk.
  static func synchronizeFolder(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor < 0 { throw systemError(path, errno, writing: true) }
    defer { close(descriptor) }
    try synchronize(descriptor, path: path)
  }

  /// The parent folder of a path.
  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last component of a path.
  static func name(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return path }
    return String(path[path.index(after: slash)...])
  }
}
