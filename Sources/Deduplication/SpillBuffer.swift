/// An append-only array that spills to a temporary file once it exceeds a memory limit.
final class SpillBuffer<Element: BitwiseCopyable> {
  private let limit: Int
  private let folder: String?
  /// The elements that are not in the file, in chunks of `chunk` elements, the last one shorter. A single array would need up to three
  /// times its size while it grows.
  private var tail: [[Element]] = []
  private var tailCount = 0
  private var file: SpillFile?
  private var written = 0

  /// Elements per chunk, in memory and when reading.
  private static var chunk: Int { (1 << 18) / MemoryLayout<Element>.stride }

  /// - Parameters:
  ///   - limit: maximum bytes in memory.
  ///   - folder: the folder of the temporary file; nil for the system's temporary folder.
  init(limit: Int, folder: String?) {
    self.limit = limit
    self.folder = folder
  }

  var count: Int { written + tailCount }

  /// - Throws: `WeirError` if the temporary file cannot be written.
  func append(_ elements: some Collection<Element>) throws {
    var rest = elements[...]
    while !rest.isEmpty {
      let last = tail.last?.count ?? Self.chunk
      if last == Self.chunk {
        tail.append([])
        // The first chunk grows on demand, because many buffers stay small.
        if tail.count > 1 { tail[tail.count - 1].reserveCapacity(Self.chunk) }
      }
      let room = last == Self.chunk ? Self.chunk : Self.chunk - last
      tail[tail.count - 1].append(contentsOf: rest.prefix(room))
      rest = rest.dropFirst(room)
    }
    tailCount += elements.count
    // Once a file exists, flush whenever about 256 KiB have accumulated.
    let room = file == nil ? limit : min(limit, 1 << 18)
    if tailCount * MemoryLayout<Element>.stride > room { try flush() }
  }

  private func flush() throws {
    let file = try self.file ?? SpillFile(folder: folder)
    self.file = file
    for chunk in tail { try chunk.withUnsafeBytes { try file.append($0) } }
    written += tailCount
    tailCount = 0
    tail.removeSubrange(min(1, tail.count)...)
    if !tail.isEmpty { tail[0].removeAll(keepingCapacity: true) }
  }

  /// Fills `buffer` with the elements from `start` on. Safe to call from several threads while nothing is appended.
  /// - Throws: `WeirError` if the temporary file cannot be read.
  func read(from start: Int, into buffer: UnsafeMutableBufferPointer<Element>) throws {
    let inFile = max(0, min(buffer.count, written - start))
    if inFile > 0, let file {
      try file.read(
        at: start * MemoryLayout<Element>.stride,
        into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<inFile])))
    }
    var done = inFile
    while done < buffer.count {
      let (index, offset) = (start + done - written).quotientAndRemainder(dividingBy: Self.chunk)
      done += tail[index].withUnsafeBufferPointer { chunk in
        let part = chunk[offset..<min(chunk.count, offset + buffer.count - done)]
        _ = UnsafeMutableBufferPointer(rebasing: buffer[done...]).update(fromContentsOf: part)
        return part.count
      }
    }
  }

  /// Calls `body` with consecutive chunks and the index of the first element of each.
  func forEachChunk(_ body: (UnsafeBufferPointer<Element>, Int) throws -> Void) throws {
    let chunk = UnsafeMutableBufferPointer<Element>.allocate(capacity: Self.chunk)
    defer { chunk.deallocate() }
    for start in stride(from: 0, to: count, by: Self.chunk) {
      let part = UnsafeMutableBufferPointer(rebasing: chunk[..<min(Self.chunk, count - start)])
      try read(from: start, into: part)
      try body(UnsafeBufferPointer(part), start)
    }
  }
}
