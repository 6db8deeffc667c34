import CZlib
import CZstd
import Foundation
import Primitives

/// A single-pass source of bytes.
package protocol ByteSource: AnyObject {
  /// The path; `-` is standard input.
  var path: String { get }
  /// Reads up to `buffer.count` bytes; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int

  /// Goes to a byte of the content, where that is possible without reading.
  func seek(to position: Int) -> Bool
}

extension ByteSource {
  package func seek(to position: Int) -> Bool { false }

  /// Skips content that an earlier run has read. Compressed content is decompressed and its checksums are checked.
  /// - Precondition: nothing was read yet.
  /// - Returns: whether there were `count` bytes.
  package func skip(_ count: Int) throws -> Bool {
    if seek(to: count) { return true }
    var left = count
    try forEachPiece(atMost: { left }, { left -= $0.count })
    return left == 0
  }

  /// Calls `body` with one piece after another of the rest of the content.
  /// - Parameter limit: the most bytes of the next piece; reading ends at 0.
  package func forEachPiece(atMost limit: () -> Int = { .max }, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Files.pieceBytes, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(limit(), buffer.count)]))
      if count == 0 { return }
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}

/// The decompressed content of a file or of standard input (`-`). The first bytes tell plain content, gzip (with several members) and zstd (with
/// several frames, long windows and skippable frames) apart. The end marker of a weir stream is checked on the way.
package final class ByteReader: ByteSource {
  private enum Coding { case plain, gzip, zstd }

  private let input: InputBuffer
  private let coding: Coding
  private var inflater: Inflater?
  private var decompressor: OpaquePointer?
  private var insideFrame = false
  /// Whether the last head of a stream is still without its end marker.
  private var headed = false
  /// Whether the last frame of content is still without an end marker.
  private var awaiting = false
  private var ended = false
  private let checksum = ChecksumStream()
  /// Whether some content had no end marker, as in an ordinary .zst, so that the markers do not count all records.
  private var uncounted = false
  private var counted: UInt64?

  /// The path; `-` is standard input.
  package var path: String { input.path }
  /// Bytes of the file read so far (compressed bytes in a compressed file), for progress.
  package var position: Int { input.offset }
  /// The kind of a weir stream, known after `init`; nil for other content.
  package private(set) var kind: StreamKind?

  /// Opens a file, or standard input for `-`, and detects its compression.
  /// - Parameters:
  ///   - name: what the file is called in errors, where that is not its path.
  ///   - isRegular: whether anything but a regular file is refused.
  package init(_ path: String, name: String? = nil, isRegular: Bool = false) throws {
    input = try InputBuffer(path, name: name, isRegular: isRegular)
    try input.fill(4)
    let first = input.available.prefix(4)
    if first.starts(with: [0x1F, 0x8B]) {
      coding = .gzip
      inflater = try Inflater(place: displayName(path))
    } else if first.count == 4, first.dropFirst().elementsEqual([0xB5, 0x2F, 0xFD]) && first.first == 0x28 || Self.isSkippable(first) {
      coding = .zstd
      guard let context = ZSTD_createDCtx() else { throw outOfMemory(path) }
      decompressor = context
      ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 31)
      try skipFrames()
    } else if path == "-", Self.isTruncated(first) {
      throw WeirError(
        "standard input", "the stream ended in its first bytes: the upstream process died",
        remedy: "see its error above and run the pipe again; nothing was committed")
    } else {
      coding = .plain
    }
  }

  /// Whether a weir stream or a zstd frame is truncated within its first four bytes.
  private static func isTruncated(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
    guard (1...3).contains(bytes.count) else { return false }
    return [[0x57, 0x2A, 0x4D], [0x28, 0xB5, 0x2F]].contains { (magic: [UInt8]) in magic.starts(with: bytes) }
  }

  deinit { ZSTD_freeDCtx(decompressor) }

  private static func isSkippable(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
    bytes.count == 4 && bytes.first.map { $0 & 0xF0 == 0x50 } == true && bytes.dropFirst().elementsEqual([0x2A, 0x4D, 0x18])
  }

  /// Reads up to `buffer.count` bytes of content; 0 at the end.
  /// - Throws: `WeirError` with the byte offset where the file is damaged or truncated.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    if ended || buffer.count == 0 { return 0 }
    switch coding {
    case .plain:
      let count = try input.read(into: buffer)
      if count == 0 { ended = true }
      return count
    case .gzip: return try readGzip(into: buffer)
    case .zstd: return try readZstd(into: buffer)
    }
  }

  package func seek(to position: Int) -> Bool { coding == .plain && input.seek(to: position) }

  /// Reads the rest of the content.
  package func readAll() throws -> [UInt8] {
    var bytes: [UInt8] = []
    try forEachPiece { bytes.append(contentsOf: $0) }
    return bytes
  }

  /// Checks at the end that a weir stream had as many records as its end marker says. Does nothing for other content.
  package func finish(records: Int) throws {
    guard let counted, !uncounted else { return }
    if counted != UInt64(records) {
      throw WeirError(
        displayName(path), "the end marker says \(counted) records, but \(records) arrived",
        remedy: "run the pipe again; nothing was committed"
      )
    }
  }

  // MARK: gzip

  private func readGzip(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard let inflater else { return 0 }
    while true {
      if !inflater.insideMember, try !nextMember(inflater) {
        ended = true
        return 0
      }
      let atHand = try input.fill(1)
      let step = inflater.step(input.available, into: buffer)
      if let problem = step.problem { throw damaged(problem) }
      input.consume(step.consumed)
      if step.produced > 0 { return step.produced }
      if atHand == 0 && inflater.insideMember { throw truncated("gzip member") }
    }
  }

  /// Goes to the next gzip member; zeros after the last one are padding.
  private func nextMember(_ inflater: Inflater) throws -> Bool {
    while try input.fill(1) > 0, input.available.first == 0 { input.consume(1) }
    if try input.fill(2) == 0 { return false }
    guard input.available.starts(with: [0x1F, 0x8B]) else { throw damaged("data that is not gzip follows the last gzip member") }
    inflater.reset()
    return true
  }

  // MARK: zstd

  private func readZstd(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      if !insideFrame {
        try skipFrames()
        if ended { return 0 }
      }
      let atHand = try input.fill(1)
      var source = ZSTD_inBuffer(src: input.available.baseAddress, size: atHand, pos: 0)
      var target = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
      let left = ZSTD_decompressStream(decompressor, &target, &source)
      if ZSTD_isError(left) != 0 { throw damaged(String(cString: ZSTD_getErrorName(left))) }
      input.consume(source.pos)
      if left == 0 { insideFrame = false }
      checksum.update(UnsafeRawBufferPointer(rebasing: buffer[..<target.pos]))
      if target.pos > 0 { return target.pos }
      if atHand == 0 && insideFrame { throw truncated("zstd frame") }
    }
  }

  /// At a frame boundary: processes the skippable frames of weir, skips all others, and stops before the next frame of content.
  private func skipFrames() throws {
    while true {
      let count = try input.fill(8)
      if count == 0 {
        if headed { throw incomplete() }
        uncounted = uncounted || awaiting
        ended = true
        return
      }
      guard count >= 4 else { throw truncated("zstd frame's header") }
      guard Self.isSkippable(input.available.prefix(4)) else {
        guard input.available.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) else { throw damaged("data that is not zstd follows a zstd frame") }
        if headed && awaiting { throw incomplete() }
        uncounted = uncounted || awaiting
        awaiting = true
        checksum.reset()
        ZSTD_DCtx_reset(decompressor, ZSTD_reset_session_only)
        insideFrame = true
        return
      }
      guard count >= 8 else { throw truncated("skippable zstd frame") }
      let magic = input.available.loadUnaligned(as: UInt32.self).littleEndian
      let size = Int(input.available.loadUnaligned(fromByteOffset: 4, as: UInt32.self).littleEndian)
      let place = input.place
      input.consume(8)
      if size > StreamFormat.payloadLimit {
        guard try input.skip(size) else { throw truncated("skippable zstd frame") }
        continue
      }
      guard try input.fill(size) >= size else { throw truncated("skippable zstd frame") }
      let payload = UnsafeRawBufferPointer(rebasing: input.available[..<size])
      let frame = try StreamFormat.decode(magic: magic, payload: payload, place: place)
      input.consume(size)
      try take(frame, place: place)
    }
  }

  private func take(_ frame: StreamFormat.Frame, place: String) throws {
    switch frame {
    case .foreign: return
    case .head(let kind):
      if headed { throw incomplete() }
      if let first = self.kind, first != kind || kind == .tokens {
        throw WeirError(place, "is a concatenation of streams that cannot be joined", remedy: "read them separately")
      }
      self.kind = kind
      uncounted = uncounted || awaiting
      awaiting = false
      headed = true
    case .end(let marker):
      guard awaiting else { throw damaged("an end marker has no content before it") }
      guard marker.checksum == checksum.value else { throw damaged("the content's checksum differs from that in the end marker") }
      let (sum, overflow) = (counted ?? 0).addingReportingOverflow(marker.records)
      guard !overflow else { throw damaged("the number of records overflows") }
      counted = sum
      awaiting = false
      headed = false
    }
  }

  // MARK: errors

  private func damaged(_ reason: String) -> WeirError {
    WeirError(input.place, "is damaged (\(reason))", remedy: "fetch or write it again; nothing was committed")
  }

  private func truncated(_ what: String) -> WeirError {
    if headed { return incomplete() }
    return WeirError(input.place, "ends within a \(what)", remedy: "fetch or write it again; nothing was committed")
  }

  private func incomplete() -> WeirError {
    let remedy = "see its error above and run the pipe again; nothing was committed"
    if path == "-" {
      return WeirError("standard input", "the stream ended before its end marker: the upstream process died", remedy: remedy)
    }
    return WeirError(
      path, "the stream ended before its end marker: the process that wrote it died",
      remedy: "write it again; nothing was committed")
  }
}
