import Artifacts
import Storage

/// Writes flat arrays of tokens for NumPy, OLMo and llm.c. The lengths of the samples are known beforehand, so a header is never rewritten.
final class FlatWriter: ExportWriter {
  private let folder: String
  private let format: ExportFormat
  private let tokenBytes: Int
  private let shardTokens: Int
  private let source: any ExportSource
  private var file: AtomicFile?
  private var buffer: [UInt8] = []
  /// OLMo's lines for the current file.
  private var lines: [UInt8] = []
  /// Of rows in `.npy`: row, start, count, document and offset of each segment in the current file.
  private var segments: [Int64] = []
  /// The first sample of the current file.
  private var first = 0
  private var next = 0
  /// The first sample of the next file.
  private var border = 0
  private var position = 0
  private var files = 0
  private var bytes = 0

  init(_ folder: String, format: ExportFormat, tokenBytes: Int, shardTokens: Int, source: any ExportSource) {
    self.folder = folder
    self.format = format
    self.tokenBytes = tokenBytes
    self.shardTokens = shardTokens
    self.source = source
  }

  private var name: String {
    let number = String(1_000_000 + files).dropFirst()
    return format == .llmc ? "train_\(number).bin" : "part-\(number.dropFirst()).npy"
  }

  /// Opens the next file: as many samples as it takes to reach `shardTokens`.
  private func open() throws {
    var tokens = 0
    repeat {
      let sum = tokens + source.length(border)
      // llm.c counts in 32 bits.
      guard format != .llmc || tokens == 0 || sum < Int(Int32.max) else { break }
      tokens = sum
      border += 1
    } while border < source.count && tokens < shardTokens
    let file = try AtomicFile(folder + "/" + name)
    switch format {
    case .npy: try file.write(NumPyArray.header(bytes: tokenBytes, shape: [tokens]))
    case .llmc: try file.write(try LLMTokens.header(width: tokenBytes, count: tokens, place: folder + "/" + name))
    default: break
    }
    self.file = file
    position = 0
    first = next
  }

  func append(_ sample: ExportSample) throws {
    if next == border {
      try close()
      try open()
    }
    sample.tokens.append(to: &buffer, tokenBytes: tokenBytes)
    if format == .olmo { note(sample) }
    if format == .npy {
      for segment in sample.segments {
        segments += [next - first, segment.start, segment.count, segment.document, segment.offset].map { Int64($0) }
      }
    }
    position += sample.tokens.count
    next += 1
    if buffer.count >= 1 << 20 { try flush() }
  }

  /// Adds the line of a document, or those of the segments of a row.
  private func note(_ sample: ExportSample) {
    if source.fixedLength == nil { line(position..<position + sample.tokens.count, id: sample.id, origin: sample.origin) }
    for segment in sample.segments {
      let start = position + segment.start
      line(start..<start + segment.count, id: segment.id, origin: segment.origin)
    }
  }

  /// `start,end,id,src,loc`, as Dolma's tokens command writes it. Readers split at newlines, so names must not contain any.
  private func line(_ range: Range<Int>, id: String, origin: String) {
    let colon = origin.lastIndex(of: ":")
    let path = colon.map { String(origin[..<$0]) } ?? origin
    let place = colon.map { String(origin[$0...].dropFirst()) } ?? ""
    let fields = [id, path, place].map { field -> String in
      let flat = String(field.unicodeScalars.map { $0 == "\n" || $0 == "\r" ? " " : Character($0) })
      return flat.contains(",") || flat.contains("\"") ? "\"\(flat.replacing("\"", with: "\"\""))\"" : flat
    }
    lines.append(contentsOf: "\(range.lowerBound),\(range.upperBound),\(fields.joined(separator: ","))\n".utf8)
  }

  private func flush() throws {
    try file?.write(buffer)
    buffer.removeAll(keepingCapacity: true)
  }

  private func close() throws {
    guard let file else { return }
    try flush()
    bytes += try file.commit().bytes
    if format == .olmo {
      let packed = try Gzip.compress(lines)
      try Files.write(packed, to: folder + "/" + name.dropLast(4) + ".csv.gz")
      bytes += packed.count
      lines.removeAll(keepingCapacity: true)
    }
    if format == .npy, source.fixedLength != nil {
      bytes += try NumPyArray.write(segments, shape: [segments.count / 5, 5], to: folder + "/" + name.dropLast(4) + ".segments.npy").bytes
      segments.removeAll(keepingCapacity: true)
    }
    self.file = nil
    files += 1
  }

  func finish() throws -> (files: Int, bytes: Int, left: Int) {
    try close()
    return (files, bytes, 0)
  }
}
