import Foundation
import Primitives

/// A file that appears whole or not at all: written as `<path>.partial`, checksummed on the way, then fsync, rename, fsync of
/// the folder. A pipe or a device (`/dev/stdout`) is written directly. Without `commit` the partial file is removed.
package final class AtomicFile {
  private let path: String
  private let temporary: String?
  private var descriptor: Int32
  private let checksum = ChecksumStream()

  /// Bytes that are on their way to the disk.
  private var underWay = 0
  private static let writeBackBytes = 8 << 20

  /// The number of bytes written so far.
  package var count: Int { checksum.count }

  /// Begins a file.
  /// - Parameter path: where it is to be; a symbolic link is followed.
  /// - Throws: `WeirError`, also where another process is writing the same file.
  package init(_ path: String) throws {
    var status = stat()
    var target = path
    if lstat(path, &status) == 0 {
      if status.st_mode & S_IFMT == S_IFLNK, let resolved = realpath(path, nil) {
        target = String(cString: resolved)
        free(resolved)
        if stat(target, &status) != 0 { throw systemError(path, errno, writing: true) }
      }
      let kind = status.st_mode & S_IFMT
      if kind == S_IFDIR { throw systemError(path, EISDIR, writing: true) }
      if kind == S_IFCHR || kind == S_IFIFO || kind == S_IFSOCK || kind == S_IFBLK {
        self.path = path
        temporary = nil
        descriptor = open(path, O_WRONLY | O_CLOEXEC)
        if descriptor < 0 { throw systemError(path, errno, writing: true) }
        return
      }
    }
    self.path = target
    let partial = target + ".partial"
    temporary = partial
    descriptor = try Self.openLocked(partial, path: path)
  }

  /// Opens the partial file and locks it; a left-over of a killed run has no lock any more and is begun afresh.
  private static func openLocked(_ partial: String, path: String) throws -> Int32 {
    while true {
      let descriptor = open(partial, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      if descriptor < 0 { throw systemError(path, errno, writing: true) }
      var mine = stat()
      var there = stat()
      if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
        close(descriptor)
        throw WeirError(path, "another process is writing it", remedy: "wait for it or choose another name")
      }
      // Between open and lock the other process may have renamed it away.
      if fstat(descriptor, &mine) == 0, stat(partial, &there) == 0, mine.st_ino == there.st_ino, ftruncate(descriptor, 0) == 0 {
        return descriptor
      }
      close(descriptor)
    }
  }

  deinit { discard() }

  /// Appends bytes.
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    precondition(descriptor >= 0, "the file is closed")
    try Descriptor.write(descriptor, bytes, path: path)
    checksum.update(bytes)
    if temporary != nil, count - underWay >= Self.writeBackBytes {
      // So that `commit` waits for the last few megabytes alone.
      Descriptor.beginWriteBack(descriptor, underWay..<count)
      underWay = count
    }
  }

  /// Appends bytes.
  package func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

  /// Makes the file appear.
  /// - Returns: its name, size and checksum.
  package func commit() throws -> FileRecord {
    precondition(descriptor >= 0, "the file is closed")
    let record = FileRecord(name: Descriptor.name(of: path), bytes: checksum.count, xxh3: Checksum.hex(checksum.value))
    guard let temporary else {
      closeDescriptor()
      return record
    }
    do {
      try Descriptor.synchronise(descriptor, path: path)
      if rename(temporary, path) != 0 { throw systemError(path, errno, writing: true) }
      closeDescriptor()
      try Descriptor.synchroniseFolder(Descriptor.parent(of: path))
    } catch {
      discard()
      throw error
    }
    return record
  }

  /// Removes what was written.
  package func discard() {
    guard descriptor >= 0 else { return }
    if let temporary { unlink(temporary) }
    closeDescriptor()
  }

  private func closeDescriptor() {
    close(descriptor)
    descriptor = -1
  }
}
