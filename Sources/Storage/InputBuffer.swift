import Foundation

/// The raw bytes of a file or of standard input, with a lookahead buffer.
final class InputBuffer {
  let path: String
  private let descriptor: Int32
  private let owned: Bool
  private let buffer: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0
  private var ended = false

  /// The position of the next byte in the file.
  private(set) var offset = 0

  /// - Parameters:
  ///   - name: what the file is called in errors, where that is not its path.
  ///   - isRegular: whether anything but a regular file is refused, as it could wait or go on for ever.
  init(_ path: String, name: String? = nil, isRegular: Bool = false) throws {
    self.path = name ?? path
    owned = path != "-"
    descriptor = owned ? try isRegular ? Descriptor.openRegular(path) : Descriptor.openForReading(path) : STDIN_FILENO
    buffer = .allocate(byteCount: Files.pieceBytes, alignment: 64)
  }

  deinit {
    buffer.deallocate()
    if owned { close(descriptor) }
  }

  /// The buffered bytes.
  var available: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[start..<end]) }

  /// `path@byte` of the next byte, for errors.
  var place: String { "\(displayName(path))@\(offset)" }

  /// Buffers at least `count` bytes; fewer only at the end of the file.
  /// - Returns: the number of buffered bytes.
  @discardableResult func fill(_ count: Int) throws -> Int {
    precondition(count <= buffer.count, "the buffer is too small")
    while end - start < count, !ended {
      if start > 0 {
        if end > start { memmove(buffer.baseAddress!, buffer.baseAddress! + start, end - start) }
        end -= start
        start = 0
      }
      let got = try Descriptor.read(descriptor, into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]), path: path)
      if got == 0 { ended = true }
      end += got
    }
    return end - start
  }

  /// Skips buffered bytes.
  func consume(_ count: Int) {
    start += count
    offset += count
  }

  /// Skips bytes, buffered or not.
  /// - Returns: whether there were `count` bytes.
  func skip(_ count: Int) throws -> Bool {
    var left = count
    while left > 0 {
      let got = min(left, try fill(1))
      if got == 0 { return false }
      consume(got)
      left -= got
    }
    return true
  }

  /// Goes to a position in the file.
  /// - Returns: false where the input is not seekable, such as a pipe.
  func seek(to position: Int) -> Bool {
    guard lseek(descriptor, off_t(position), SEEK_SET) == off_t(position) else { return false }
    (start, end, offset, ended) = (0, 0, position, false)
    return true
  }

  /// Reads up to `target.count` bytes; 0 at the end. Reads directly from the file where nothing is buffered.
  func read(into target: UnsafeMutableRawBufferPointer) throws -> Int {
    let buffered = min(end - start, target.count)
    if buffered > 0 {
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<start + buffered]))
      consume(buffered)
      return buffered
    }
    if ended { return 0 }
    let got = try Descriptor.read(descriptor, into: target, path: path)
    if got == 0 { ended = true }
    offset += got
    return got
  }
}
