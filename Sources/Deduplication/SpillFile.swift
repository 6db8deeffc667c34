import Foundation
import Primitives

/// A temporary file without a name, so that nothing is left behind, whatever happens. Written at its end, read anywhere.
///
/// It is read and written by system calls and not mapped: its pages are the system's page cache, which gives way when others need memory,
/// and never this process's.
final class SpillFile {
  private let folder: String
  private let descriptor: Int32
  /// Bytes written.
  private(set) var count = 0

  /// Creates an empty file.
  /// - Parameter folder: where it goes; nil for the system's temporary folder.
  /// - Throws: `WeirError` where it cannot be made.
  init(folder: String? = nil) throws {
    let folder = folder ?? FileManager.default.temporaryDirectory.path
    self.folder = folder
    #if os(Linux)
    // O_TMPFILE, which Swift does not see: without a name from the beginning, whenever one is killed. Not every file system can.
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

  /// Appends bytes.
  /// - Throws: `WeirError` when the disk is full.
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
  /// - Throws: `WeirError` where the file has less, or cannot be read.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    guard let base = buffer.baseAddress else { return }
    var done = 0
    while done < buffer.count {
      let got = pread(descriptor, base + done, min(buffer.count - done, 1 << 30), off_t(offset + done))
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else {
        throw WeirError(folder, "a temporary file cannot be read back", remedy: "check the disk and run again")
      }
      done += got
    }
  }

  private static func failure(_ folder: String) -> WeirError {
    WeirError(
      folder, "cannot write a temporary file: \(String(cString: strerror(errno)))",
      remedy: "set TMPDIR to a folder with room, or allow more memory")
  }
}
