import Primitives

/// A growing array of which what is beyond a limit lies in a temporary file.
final class SpillBuffer<Element: BitwiseCopyable> {
  private let limit: Int
  private let folder: String?
  /// What is not in the file: all of it below the limit, the end of it beyond. In pieces of `chunk` elements, the last one shorter: an array
  /// in one piece would hold up to three times its content while it grows.
  private var tail: [[Element]] = []
  private var tailCount = 0
  private var file: SpillFile?
  private var written = 0

  /// Elements of a piece, and those that are read at a time.
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
  var count: Int { written + tailCount }

  /// Appends elements.
  /// - Throws: `WeirError` when the temporary file cannot be written.
  func append(_ elements: some Collection<Element>) throws {
    var rest = elements[...]
    while !rest.isEmpty {
      let last = tail.last?.count ?? Self.chunk
      if last == Self.chunk {
        tail.append([])
        // The first piece grows as it is filled: many a buffer stays small.
        if tail.count > 1 { tail[tail.count - 1].reserveCapacity(Self.chunk) }
      }
      let room = last == Self.chunk ? Self.chunk : Self.chunk - last
      tail[tail.count - 1].append(contentsOf: rest.prefix(room))
      rest = rest.dropFirst(room)
    }
    tailCount += elements.count
    // Beyond the limit, a few hundred kilobytes at a time.
    let room = file == nil ? limit : min(limit, 1 << 18)
    if tailCount * MemoryLayout<Element>.stride > room { try flush() }
  }

  private func flush() throws {
    let file = try self.file ?? SpillFile(folder: folder)
    self.file = file
    for piece in tail { try piece.withUnsafeBytes { try file.append($0) } }
    written += tailCount
    tailCount = 0
    tail.removeSubrange(min(1, tail.count)...)
    if !tail.isEmpty { tail[0].removeAll(keepingCapacity: true) }
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
    var done = inFile
    while done < buffer.count {
      let (piece, offset) = (start + done - written).quotientAndRemainder(dividingBy: Self.chunk)
      done += tail[piece].withUnsafeBufferPointer { piece in
        let part = piece[offset..<min(piece.count, offset + buffer.count - done)]
        _ = UnsafeMutableBufferPointer(rebasing: buffer[done...]).update(fromContentsOf: part)
        return part.count
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
