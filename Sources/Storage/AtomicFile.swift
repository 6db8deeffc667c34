import Foundation

/// A file that appears complete or not at all. It is written to `<path>.partial` and checksummed on the way; `commit` flushes it to disk, renames
/// it and flushes the folder. Without `commit` the partial file is removed. Pipes and devices (`/dev/stdout`) are written directly.
package final class AtomicFile {
  private let path: String
  private let temporary: String?
  private var descriptor: Int32
  private let lock: OutputLock?
  private let checksum = ChecksumStream()
  private var blocks = BlockHasher()

  /// Bytes whose write-back has started.
  private var writtenBack = 0
  private static let writeBackBytes = 8 << 20

  /// The number of bytes written so far.
  package var count: Int { checksum.count }

  /// Creates the partial file.
  /// - Parameter path: the final path; a symbolic link is followed.
  /// - Throws: `WeirError`, also where another process is writing to the file.
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
        lock = nil
        descriptor = open(path, O_WRONLY | O_CLOEXEC)
        if descriptor < 0 { throw systemError(path, errno, writing: true) }
        return
      }
    }
    self.path = target
    let partial = target + ".partial"
    temporary = partial
    lock = try OutputLock(target)
    // The partial file of a killed process is overwritten.
    descriptor = try Descriptor.openPartial(partial, path: path)
    if ftruncate(descriptor, 0) != 0 { throw systemError(path, errno, writing: true) }
  }

  deinit { discard() }

  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    precondition(descriptor >= 0, "the file is closed")
    try Descriptor.write(descriptor, bytes, path: path)
    checksum.update(bytes)
    blocks.update(bytes)
    if temporary != nil, count - writtenBack >= Self.writeBackBytes {
      // Leaves only the last few megabytes for `commit` to wait for.
      Descriptor.beginWriteBack(descriptor, writtenBack..<count)
      writtenBack = count
    }
  }

  package func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

  /// Flushes the file to disk and gives it its final name.
  package func commit() throws -> FileRecord {
    precondition(descriptor >= 0, "the file is closed")
    let record = FileRecord(
      name: Descriptor.name(of: path), bytes: checksum.count, xxh3: Checksum.hex(checksum.value), blocks: blocks.finish())
    guard let temporary else {
      closeDescriptor()
      return record
    }
    do {
      try Descriptor.synchronize(descriptor, path: path)
      if rename(temporary, path) != 0 { throw systemError(path, errno, writing: true) }
    } catch {
      discard()
      throw error
    }
    closeDescriptor()
    try Descriptor.finish(path) {}
    return record
  }

  /// Removes the partial file.
  package func discard() {
    guard descriptor >= 0 else { return }
    if let temporary { unlink(temporary) }
    closeDescriptor()
  }

  private func closeDescriptor() {
    close(descriptor)
    descriptor = -1
    lock?.release()
  }
}
