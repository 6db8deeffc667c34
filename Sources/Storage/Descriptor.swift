import CZstd
import Foundation
import Primitives

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

  /// Opens a regular file for reading. Other files are refused at once: a pipe may wait for its writer, and a device may never end.
  static func openRegular(_ path: String) throws -> Int32 {
    let descriptor = FileName.withBytes(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    if descriptor < 0 { throw systemError(path, errno) }
    var status = stat()
    if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG { return descriptor }
    close(descriptor)
    if status.st_mode & S_IFMT == S_IFDIR { throw systemError(path, EISDIR) }
    throw WeirError(path, "is not a regular file", remedy: "copy it to a file first")
  }

  /// Opens a partial file for writing, and creates it where it does not exist.
  /// - Throws: `WeirError` for a link, pipe or device, through which something else would be written.
  static func openPartial(_ partial: String, path: String) throws -> Int32 {
    try refuseUnusual(partial, S_IFREG)
    let descriptor = FileName.withBytes(partial) { open($0, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666) }
    if descriptor < 0 { throw systemError(path, errno, writing: true) }
    do { try refuseUnusual(partial, S_IFREG) } catch {
      close(descriptor)
      throw error
    }
    return descriptor
  }

  /// Throws where a partial file or folder exists and is something else, such as a symbolic link.
  /// - Parameters:
  ///   - kind: the file type that is expected.
  ///   - purpose: what would be written there, for the error.
  static func refuseUnusual(_ partial: String, _ kind: mode_t, for purpose: String = "an unfinished output") throws {
    var status = stat()
    guard FileName.withBytes(partial, { lstat($0, &status) }) == 0 else { return }
    let found = status.st_mode & S_IFMT
    guard found != kind || (kind == S_IFREG && status.st_nlink > 1) else { return }
    let what =
      switch found {
      case S_IFLNK: "a symbolic link"
      case S_IFIFO: "a pipe"
      case S_IFDIR: "a folder"
      case S_IFREG: kind == S_IFREG ? "a hard link to another file" : "a file"
      default: "a device or socket"
      }
    throw WeirError(partial, "is \(what), where \(purpose) would be written", remedy: "remove it or choose another output")
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
    let descriptor = FileName.withBytes(path) { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    if descriptor < 0 { throw systemError(path, errno, writing: true) }
    defer { close(descriptor) }
    try synchronize(descriptor, path: path)
  }

  /// Does what remains after an output has its final name.
  /// - Throws: `WeirError` that says so: nothing is lost unless the power fails.
  static func finish(_ path: String, _ body: () throws -> Void) throws {
    do {
      try synchronizeFolder(parent(of: path))
      try body()
    } catch {
      // What is inside an unfinished output is removed with it.
      if path.contains(".partial/") { throw error }
      let reason = (error as? WeirError).map { "\($0.place): \($0.reason)" } ?? "\(error)"
      throw WeirError(
        path, "is complete and in place, but the last step failed (\(reason))",
        remedy: "check the disk; until its folder is flushed, a power failure may undo the write")
    }
  }

  static func isLink(_ path: String) -> Bool {
    var status = stat()
    return FileName.withBytes(path, { lstat($0, &status) }) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// The path without symbolic links; nil where it leads nowhere.
  static func resolve(_ path: String) -> String? {
    guard let resolved = FileName.withBytes(path, { realpath($0, nil) }) else { return nil }
    defer { free(resolved) }
    return FileName.string(resolved)
  }

  /// The number of the open file of this process that a path such as `/dev/stdout` leads to; nil for all other paths.
  static func ownNumber(_ path: String) -> Int32? {
    var path = path
    for _ in 0..<40 {
      guard let folder = resolve(parent(of: path)) else { return nil }
      let name = name(of: path)
      if folder == "/dev/fd" || folder.hasPrefix("/proc/\(getpid())/") && folder.hasSuffix("/fd") { return Int32(name) }
      var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
      guard FileName.withBytes(folder + "/" + name, { readlink($0, &target, target.count - 1) }) > 0 else { return nil }
      let next = FileName.string(target)
      path = next.hasPrefix("/") ? next : folder + "/" + next
    }
    return nil
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
