import CZlib

/// A gzip decoder for one member at a time, by zlib.
final class Inflater {
  // Allocated, because zlib keeps a pointer to it.
  private let stream: UnsafeMutablePointer<z_stream>
  /// Whether a member has begun and not ended.
  private(set) var insideMember = false

  init(place: String) throws {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    if inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) != Z_OK {
      stream.deallocate()
      throw outOfMemory(place)
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Starts a member.
  func reset() {
    inflateReset(stream)
    insideMember = true
  }

  /// Decodes as much of `source` as fits in `target`.
  func step(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> (consumed: Int, produced: Int, problem: String?) {
    let room = min(target.count, 1 << 30)
    let given = min(source.count, 1 << 30)
    stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress?.assumingMemoryBound(to: Bytef.self))
    stream.pointee.avail_in = uInt(given)
    stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: Bytef.self)
    stream.pointee.avail_out = uInt(room)
    let status = inflate(stream, Z_NO_FLUSH)
    let consumed = given - Int(stream.pointee.avail_in)
    let produced = room - Int(stream.pointee.avail_out)
    switch status {
    case Z_OK, Z_BUF_ERROR: return (consumed, produced, nil)
    case Z_STREAM_END:
      insideMember = false
      return (consumed, produced, nil)
    default: return (consumed, produced, stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(status)")
    }
  }
}
