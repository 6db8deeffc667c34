import CZstd
import Foundation
import Primitives

/// The encoding of an output.
package enum OutputCoding: Sendable, Equatable {
  case plain
  /// An ordinary .zst with a content checksum, followed by an end marker.
  case zstd(level: Int)
  /// A weir stream, which is recognized by its first bytes and is complete only with its end marker; uncompressed where the level is nil.
  case stream(level: Int?)
}

/// Writes records to a file, atomically, or to standard output. Without `finish` a file does not appear, and a stream has no end marker, so that readers
/// reject it.
///
/// zstd compresses one frame in jobs of `jobBytes` of content on its own threads, while the caller continues. The job boundaries depend on the
/// content alone, so that the bytes depend neither on the number of threads nor on the sizes of the writes.
package final class StreamWriter {
  private let file: AtomicFile?
  private let coding: OutputCoding
  private let kind: StreamKind
  private var compressor: OpaquePointer?
  private var stored: StoredFrame?
  private let buffer: UnsafeMutableRawBufferPointer
  private let checksum = ChecksumStream()
  private var finished = false

  /// Bytes of content per compression job. At level 3, larger jobs save 0.3 % of the output, smaller ones cost 0.7 %.
  static let jobBytes = 2 << 20

  /// Records written so far.
  package private(set) var records = 0
  /// Bytes written so far, before compression.
  package private(set) var bytes = 0

  /// Creates an output.
  /// - Parameters:
  ///   - path: a file, or `-` for standard output.
  ///   - kind: the kind of the records.
  ///   - threads: the number of compression threads.
  package init(_ path: String, kind: StreamKind, coding: OutputCoding, threads: Int = 1) throws {
    file = path == "-" ? nil : try AtomicFile(path)
    self.kind = kind
    self.coding = coding
    buffer = .allocate(byteCount: ZSTD_CStreamOutSize(), alignment: 64)
    let level: Int
    switch coding {
    case .plain: return
    case .zstd(let chosen), .stream(let chosen?): level = chosen
    case .stream(nil):
      try StreamFormat.encodeHead(kind).withUnsafeBytes { try emit($0) }
      stored = StoredFrame { [file] head, content in
        guard let file else { return try Descriptor.write(STDOUT_FILENO, head, content, path: "-") }
        try head.withUnsafeBytes { try file.write($0) }
        try file.write(content)
      }
      return
    }
    guard let context = ZSTD_createCCtx() else { throw outOfMemory(displayName(path, writing: true)) }
    compressor = context
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(clamping: level))
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    // A libzstd without thread support ignores this and compresses on the calling thread.
    ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, Int32(clamping: max(1, threads)))
    ZSTD_CCtx_setParameter(context, ZSTD_c_jobSize, Int32(Self.jobBytes))
    if case .stream = coding { try StreamFormat.encodeHead(kind).withUnsafeBytes { try emit($0) } }
  }

  deinit {
    ZSTD_freeCCtx(compressor)
    buffer.deallocate()
  }

  /// Writes bytes that complete `records` records.
  /// - Throws: `BrokenPipe` where the reader has closed the pipe; `WeirError`.
  package func write(_ bytes: UnsafeRawBufferPointer, records: Int) throws {
    precondition(!finished, "the output is finished")
    self.records += records
    guard bytes.count > 0 else { return }
    self.bytes += bytes.count
    if coding == .plain { return try emit(bytes) }
    checksum.update(bytes)
    if compressor == nil { try stored?.write(bytes) } else { try compress(bytes, ZSTD_e_continue) }
  }

  /// Writes bytes that complete `records` records.
  package func write(_ bytes: [UInt8], records: Int) throws { try bytes.withUnsafeBytes { try write($0, records: records) } }

  /// Writes the end marker and completes the file.
  /// - Returns: the record of the file; nil for standard output.
  @discardableResult package func finish() throws -> FileRecord? {
    precondition(!finished, "the output is finished")
    finished = true
    if coding != .plain {
      if compressor == nil { try stored?.finish() } else { try compress(UnsafeRawBufferPointer(start: nil, count: 0), ZSTD_e_end) }
      let marker = StreamFormat.EndMarker(records: UInt64(records), checksum: checksum.value, kind: kind)
      try StreamFormat.encode(marker).withUnsafeBytes { try emit($0) }
    }
    return try file?.commit()
  }

  /// Abandons the output.
  package func discard() {
    finished = true
    file?.discard()
  }

  private func compress(_ bytes: UnsafeRawBufferPointer, _ directive: ZSTD_EndDirective) throws {
    var source = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
    while true {
      var target = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
      let left = ZSTD_compressStream2(compressor, &target, &source, directive)
      if ZSTD_isError(left) != 0 {
        throw WeirError(
          "zstd", "compression failed (\(String(cString: ZSTD_getErrorName(left))))",
          remedy: "if memory or threads are short, raise the limits (ulimit -u, ulimit -v)")
      }
      try emit(UnsafeRawBufferPointer(rebasing: buffer[..<target.pos]))
      if directive == ZSTD_e_end ? left == 0 : source.pos == source.size { return }
    }
  }

  private func emit(_ bytes: UnsafeRawBufferPointer) throws {
    if let file { try file.write(bytes) } else { try Descriptor.write(STDOUT_FILENO, bytes, path: "-") }
  }
}

extension OutputCoding {
  /// The encoding for a path: zstd for `.zst`, plain for all others.
  /// - Parameter lines: whether the output is JSON Lines, so that a name of another format is a slip.
  /// - Throws: `WeirError` for a name that promises another format.
  package static func of(path: String, level: Int = 3, lines: Bool = false) throws -> OutputCoding {
    let name = path.lowercased()
    if name.hasPrefix("s3://") {
      throw WeirError(path, "is in an object store, which is only read", remedy: "write a file, and upload it with `s5cmd cp`")
    }
    if let ending = [".gz", ".xz", ".bz2", ".lz4", ".zip"].first(where: name.hasSuffix) {
      throw WeirError(path, "\(ending) output is not supported", remedy: "use .zst, or write plain text and compress it afterwards")
    }
    let formats = [".parquet", ".arrow", ".npy", ".csv", ".tsv", ".txt", ".md", ".html"]
    if lines, let ending = formats.first(where: { name.hasSuffix($0) || name.hasSuffix($0 + ".zst") }) {
      throw WeirError(path, "is JSON Lines, not \(ending)", remedy: "name it .jsonl or .jsonl.zst")
    }
    return name.hasSuffix(".zst") ? .zstd(level: level) : .plain
  }

  /// Whether a name says that a file is JSON Lines.
  package static func isLines(_ path: String) -> Bool {
    [".jsonl", ".ndjson", ".jsonl.zst", ".ndjson.zst"].contains(where: path.lowercased().hasSuffix)
  }
}
