import Primitives

/// A growing array of which what is beyond a limit lies in a temporary file.
final class SpillBuffer<Element: BitwiseCopyable> {
  private let limit: Int
  private let folder: String?
  /// What is not in the file: all of it below the limit, the end of it beyond.
  private var tail: [Element] = []
  private var file: SpillFile?
  private var written = 0

  /// Elements that are read at a time.
  private static var chunk: Int { (1 << 18) / MemoryLayout<Element>.stride }

  /// Creates an empty buffer.
  /// - Parameters:
  ///   - limit: bytes that stay in memory.
  ///   - folder: where the temporary file goes; nil for the system's temporary folder.
  init(limit: Int, folder: String?) {
    self.limit = limit
    self.folder = folder
  }

  /// Elements so far.
  var count: Int { written + tail.count }

  /// Appends elements.
  /// - Throws: `WeirError` when the temporary file cannot be written.
  func append(_ elements: some Collection<Element>) throws {
    tail.append(contentsOf: elements)
    // Beyond the limit, a few hundred kilobytes at a time.
    let room = file == nil ? limit : min(limit, 1 << 18)
    if tail.count * MemoryLayout<Element>.stride > room { try flush() }
  }

  private func flush() throws {
    let file = try self.file ?? SpillFile(folder: folder)
    self.file = file
    try tail.withUnsafeBytes { try file.append($0) }
    written += tail.count
    if tail.count > 1 << 16 { tail = [] } else { tail.removeAll(keepingCapacity: true) }
  }

  /// Fills `buffer` with the elements from `start` on. Safe to call from several threads while nothing is appended.
  /// - Throws: `WeirError` when the temporary file cannot be read.
  func read(from start: Int, into buffer: UnsafeMutableBufferPointer<Element>) throws {
    let inFile = max(0, min(buffer.count, written - start))
    if inFile > 0, let file {
      try file.read(
        at: start * MemoryLayout<Element>.stride,
        into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<inFile])))
    }
    if inFile < buffer.count {
      let first = start + inFile - written
      tail.withUnsafeBufferPointer { tail in
        _ = UnsafeMutableBufferPointer(rebasing: buffer[inFile...]).update(fromContentsOf: tail[first..<first + buffer.count - inFile])
      }
    }
  }

  /// Calls `body` with all elements in order, a piece at a time, and the number of elements before it.
  func forEachPiece(_ body: (UnsafeBufferPointer<Element>, Int) throws -> Void) throws {
    let piece = UnsafeMutableBufferPointer<Element>.allocate(capacity: Self.chunk)
    defer { piece.deallocate() }
    for start in stride(from: 0, to: count, by: Self.chunk) {
      let part = UnsafeMutableBufferPointer(rebasing: piece[..<min(Self.chunk, count - start)])
      try read(from: start, into: part)
      try body(UnsafeBufferPointer(part), start)
    }
  }
}
