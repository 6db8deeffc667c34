import Foundation
import Primitives

/// An unnamed temporary file, which disappears with the process even after a crash. Writes append; reads are random access.
///
/// It uses system calls instead of a mapping, so its pages count as page cache, which the kernel can reclaim, and not as memory of this
/// process.
final class SpillFile {
  private let folder: String
  private let descriptor: Int32
  /// Bytes written.
  private(set) var count = 0

  /// - Parameter folder: the folder of the file; nil for the system's temporary folder.
  /// - Throws: `WeirError` if the file cannot be created.
  init(folder: String? = nil) throws {
    let folder = folder ?? FileManager.default.temporaryDirectory.path
    self.folder = folder
    #if os(Linux)
    // O_TMPFILE, which Swift does not import: the file never has a name, so even SIGKILL leaves nothing behind. Some file systems do not
    // support it.
    let nameless = open(folder, O_RDWR | O_CLOEXEC | 0o20_000_000 | O_DIRECTORY, 0o600)
    if nameless >= 0 {
      descriptor = nameless
      return
    }
    #endif
    var template = Array("\(folder)/weir-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw Self.failure(folder) }
    unlink(template)
  }

  deinit { close(descriptor) }

  /// - Throws: `WeirError` if the disk is full.
  func append(_ bytes: UnsafeRawBufferPointer) throws {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let written = pwrite(descriptor, base + done, min(bytes.count - done, 1 << 30), off_t(count))
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw Self.failure(folder) }
      done += written
      count += written
    }
  }

  /// Fills `buffer` from the byte `offset` on. Safe to call from several threads.
  /// - Throws: `WeirError` if the file is too short or cannot be read.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    guard let base = buffer.baseAddress else { return }
    var done = 0
    while done < buffer.count {
      let got = pread(descriptor, base + done, min(buffer.count - done, 1 << 30), off_t(offset + done))
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { throw WeirError(folder, "cannot read a temporary file", remedy: "check the disk and run again") }
      done += got
    }
  }

  private static func failure(_ folder: String) -> WeirError {
    WeirError(
      folder, "cannot write a temporary file: \(String(cString: strerror(errno)))",
      remedy: "set TMPDIR to a folder with free space, or allow more memory")
  }
}
