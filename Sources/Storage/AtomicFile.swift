import Foundation
import Primitives

/// A file that appears complete or not at all. It is written to `<path>.partial` and checksummed on the way; `commit` flushes it to disk, renames
/// it and flushes the folder. Without `commit` the partial file is removed. Pipes, devices and open files of this process (`/dev/stdout`) are written
/// directly, also through links.
package final class AtomicFile {
  private let path: String
  private let temporary: String?
  private var descriptor: Int32
  private let lock: OutputLock?
  private let checksum = ChecksumStream()
  private var blocks: BlockHasher?

  /// Bytes whose write-back has started.
  private var writtenBack = 0
  private static let writeBackBytes = 8 << 20

  /// The number of bytes written so far.
  package var count: Int { checksum.count }

  /// Creates the partial file.
  /// - Parameters:
  ///   - path: the final path; a symbolic link is followed.
  ///   - hashesBlocks: whether to compute the checksums of blocks on the way, for a folder that stores them (`BlockChecksums`).
  /// - Throws: `WeirError`, also where another process is writing to the file.
  package init(_ path: String, hashesBlocks: Bool = false) throws {
    blocks = hashesBlocks ? BlockHasher() : nil
    if let opened = try Self.openDirectly(path) {
      self.path = path
      temporary = nil
      lock = nil
      descriptor = opened
      return
    }
    // A rename would replace the link.
    let target = Descriptor.isLink(path) ? Descriptor.resolve(path) ?? path : path
    self.path = target
    let partial = target + ".partial"
    temporary = partial
    lock = try OutputLock(target)
    // The partial file of a killed process is overwritten.
    descriptor = try Descriptor.openPartial(partial, path: path)
    if ftruncate(descriptor, 0) != 0 { throw systemError(path, errno, writing: true) }
  }

  deinit { discard() }

  /// Opens what is written without a partial file: anything that is neither a regular file nor missing. nil for all others.
  private static func openDirectly(_ path: String) throws -> Int32? {
    // A link to an open file of this process leads to a name that is none, as with a pipe, or to a file that the parent writes to.
    if let number = Descriptor.ownNumber(path) {
      let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
      if copy < 0 { throw systemError(path, errno, writing: true) }
      return copy
    }
    var status = stat()
    guard FileName.withBytes(path, { stat($0, &status) }) == 0 else {
      let code = errno
      guard Descriptor.isLink(path) else { return nil }
      if code != ENOENT { throw systemError(path, code, writing: true) }
      throw WeirError(path, "is a symbolic link to a file that does not exist", remedy: "remove the link, or create the file")
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return nil
    case S_IFDIR: throw systemError(path, EISDIR, writing: true)
    default:
      let opened = FileName.withBytes(path) { open($0, O_WRONLY | O_CLOEXEC) }
      if opened < 0 { throw systemError(path, errno, writing: true) }
      return opened
    }
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    precondition(descriptor >= 0, "the file is closed")
    try Descriptor.write(descriptor, bytes, path: path)
    checksum.update(bytes)
    blocks?.update(bytes)
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
      name: Descriptor.name(of: path), bytes: checksum.count, xxh3: Checksum.hex(checksum.value), blocks: blocks?.finish() ?? [])
    guard let temporary else {
      closeDescriptor()
      return record
    }
    do {
      try Descriptor.synchronize(descriptor, path: path)
      try Files.move(temporary, to: path)
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
    if let temporary { FileName.withBytes(temporary) { _ = unlink($0) } }
    closeDescriptor()
  }

  private func closeDescriptor() {
    close(descriptor)
    descriptor = -1
    lock?.release()
  }
}
