import Foundation
import Primitives

/// The raw bytes of a file or of standard input, with a window to look ahead in and the place in the file.
final class InputBuffer {
  let path: String
  private let descriptor: Int32
  private let owned: Bool
  private let buffer: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0
  private var ended = false

  /// The place in the file of the next byte.
  private(set) var offset = 0

  init(_ path: String) throws {
    self.path = path
    owned = path != "-"
    descriptor = owned ? try Descriptor.openForReading(path) : STDIN_FILENO
    buffer = .allocate(byteCount: Files.pieceBytes, alignment: 64)
  }

  deinit {
    buffer.deallocate()
    if owned { close(descriptor) }
  }

  /// The bytes at hand.
  var available: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[start..<end]) }

  /// `path@byte` of the next byte, for messages.
  var place: String { "\(displayName(path))@\(offset)" }

  /// Brings at least `count` bytes to hand, fewer only at the end of the file.
  /// - Returns: the number of bytes at hand.
  @discardableResult func fill(_ count: Int) throws -> Int {
    precondition(count <= buffer.count, "the window is smaller")
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

  /// Steps over bytes at hand.
  func consume(_ count: Int) {
    start += count
    offset += count
  }

  /// Steps over bytes, at hand or not.
  /// - Returns: whether there were as many.
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

  /// Goes to a byte of a file.
  /// - Returns: whether it can: a pipe cannot.
  func seek(to place: Int) -> Bool {
    guard lseek(descriptor, off_t(place), SEEK_SET) == off_t(place) else { return false }
    (start, end, offset, ended) = (0, 0, place, false)
    return true
  }

  /// Copies bytes out, past the window where it is empty.
  func read(into target: UnsafeMutableRawBufferPointer) throws -> Int {
    let atHand = min(end - start, target.count)
    if atHand > 0 {
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<start + atHand]))
      consume(atHand)
      return atHand
    }
    if ended { return 0 }
    let got = try Descriptor.read(descriptor, into: target, path: path)
    if got == 0 { ended = true }
    offset += got
    return got
  }
}
