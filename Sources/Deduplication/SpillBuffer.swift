import Foundation
import Primitives

/// A growing array that moves to a temporary file beyond a limit, and is mapped back when it is complete: memory then is the system's page
/// cache, which gives way when others need it. The file has no name once it is open, so nothing is left behind, whatever happens.
final class SpillBuffer<Element> {
  private let limit: Int
  private let folder: String
  private var tail: [Element] = []
  private var descriptor: Int32 = -1
  private var written = 0
  private var mapping: UnsafeMutableRawPointer?

  /// Creates an empty buffer.
  /// - Parameters:
  ///   - limit: bytes that stay in memory.
  ///   - folder: where the temporary file goes.
  init(limit: Int, folder: String) {
    self.limit = limit
    self.folder = folder
  }

  deinit {
    if let mapping { munmap(mapping, written * MemoryLayout<Element>.stride) }
    if descriptor >= 0 { close(descriptor) }
  }

  /// Elements so far.
  var count: Int { written + tail.count }

  /// Appends elements.
  /// - Throws: `WeirError` when the temporary file cannot be written.
  func append(_ elements: ArraySlice<Element>) throws {
    tail.append(contentsOf: elements)
    // Beyond the limit, a few hundred kilobytes at a time.
    let room = descriptor >= 0 ? min(limit, 1 << 19) : limit
    if tail.count * MemoryLayout<Element>.stride > room { try flush() }
  }

  private func flush() throws {
    guard !tail.isEmpty else { return }
    if descriptor < 0 {
      var template = Array("\(folder)/weir-XXXXXX".utf8CString)
      descriptor = mkstemp(&template)
      guard descriptor >= 0 else { throw failure() }
      unlink(template)
    }
    try tail.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw failure() }
        done += count
      }
    }
    written += tail.count
    tail.removeAll(keepingCapacity: written < 1 << 16)
  }

  private func failure() -> WeirError {
    WeirError(
      folder, "cannot write a temporary file: \(String(cString: strerror(errno)))",
      remedy: "set TMPDIR to a folder with room, or allow more memory")
  }

  /// Ends the appending: from now on the elements can be read.
  func seal() throws {
    guard descriptor >= 0, mapping == nil else { return }
    try flush()
    let bytes = written * MemoryLayout<Element>.stride
    guard let mapped = mmap(nil, bytes, PROT_READ, MAP_PRIVATE, descriptor, 0), mapped != MAP_FAILED else { throw failure() }
    mapping = mapped
  }

  /// Reads all elements of a sealed buffer.
  func withElements<Result>(_ body: (UnsafeBufferPointer<Element>) throws -> Result) rethrows -> Result {
    guard let mapping else { return try tail.withUnsafeBufferPointer(body) }
    return try body(UnsafeBufferPointer(start: mapping.assumingMemoryBound(to: Element.self), count: written))
  }
}
