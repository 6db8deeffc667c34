import CJSON
import Pipeline
import Primitives
import Storage

/// Reads files, folders and standard input as blocks of whole lines, in a fixed order.
///
/// A file contains JSON lines if its name says so (`.jsonl`, `.ndjson`, `.json`, each also with `.gz` or `.zst`) or its first byte that is
/// not blank is `{`; the elements of a JSON array and objects that span lines are read as lines. Any other file is plain text and makes one
/// document, with a warning where its name does not say so. Content of other kinds (archives, images, UTF-16, …) is refused. Compression is
/// recognized by the first bytes, not by the name.
package final class DocumentSource: Source {
  /// The files in the order they are read.
  package let files: [String]
  /// Bytes of all files on disk; nil where standard input is one of them.
  package let totalBytes: Int?
  private(set) var emptyFiles: [String] = []
  /// Files that were read as plain text although their names do not say so.
  private var plainTexts: [String] = []
  /// Lines read so far.
  package private(set) var lines = 0

  private let blockSize: Int
  private let limit: Int
  private let open: (String, String) throws -> any ByteSource
  /// Objects by address, for files that are in an object store, and where they are downloaded to.
  private var objects: [String: StoredObject] = [:]
  private let cache: ObjectCache?
  private var nextFile = 0
  private var current: FileState?
  private var beginning: Position?
  private var doneBytes = 0
  private var positions: BlockPositions?
  private let hold: InputHold

  /// Where a block begins.
  package struct Position: Sendable, Codable, Equatable {
    /// The file, counted from 0.
    package var file: Int
    /// The byte in its uncompressed content.
    package var byte: Int
    /// The line, counted from 1.
    package var line: Int

    package init(file: Int, byte: Int, line: Int) {
      self.file = file
      self.byte = byte
      self.line = line
    }
  }

  private struct FileState {
    var source: any ByteSource
    /// The file below `source`; nil for the output of a helper program.
    let reader: ByteReader?
    /// The local file.
    let local: String
    /// Holds the local file of an object.
    let object: CachedObject?
    var kind: LineBlock.Kind?
    var carry: [UInt8] = []
    /// The position of the first byte of `carry`.
    var byte = 0
    var line = 1
    var ended = false
    var isFirst = true
  }

  /// Finds the files.
  /// - Parameters:
  ///   - paths: files, folders (walked in sorted order, without hidden files), glob patterns (where no file has that name), addresses of
  ///     objects, prefixes and patterns in an object store (`s3://…`), `-` for standard input; none means `-`.
  ///   - blockSize: the least bytes per block; a block ends with a line.
  ///   - limit: the most bytes of a line or a text; longer ones are quarantined and, beyond one block, never held in memory, no matter
  ///     how large a compressed file is.
  ///   - open: opens a file that has a name; formats such as Parquet need a helper program.
  /// - Throws: `WeirError` for a missing file, for a folder without files, and for what is not documents.
  package init(
    paths: [String], blockSize: Int = 1 << 18, limit: Int = 1 << 30,
    open: @escaping (_ file: String, _ name: String) throws -> any ByteSource = { file, name in
      ParquetReader.isParquet(file) ? try ParquetReader(file, name: name) : try ByteReader(file, name: name)
    }
  ) throws {
    var files: [String] = []
    var objects: [String: StoredObject] = [:]
    for path in paths.isEmpty ? ["-"] : paths {
      if ObjectStore.isAddress(path) {
        for object in try ObjectStore.list(path) {
          objects[object.address] = object
          files.append(object.address)
        }
        continue
      }
      if path == "-", files.contains("-") { throw WeirError("-", "standard input is named twice", remedy: "name - once") }
      if path == "-" || Files.exists(path) {
        files += try Self.expand(path)
      } else {
        let found = Files.matching(path)
        if found.isEmpty { throw WeirError(path, "no such file or folder", remedy: "check the path") }
        for path in found { files += try Self.expand(path) }
      }
    }
    self.files = files
    self.objects = objects
    cache = objects.isEmpty ? nil : try ObjectCache()
    hold = try InputHold(files)
    self.blockSize = max(1, blockSize)
    self.limit = max(1, limit)
    self.open = open
    // Content that the first bytes give away is refused before anything is read, let alone written.
    for path in files where Files.isRegular(path) && !ParquetReader.isParquet(path) {
      if let (reason, remedy) = FileContent.foreign(name: path) { throw WeirError(path, reason, remedy: remedy) }
      _ = try Self.kind(of: Self.head(path), path: path, byName: Self.kind(byName: path))
    }
    // Of objects, only the names are known.
    for path in files where objects[path] != nil && !path.lowercased().hasSuffix(".parquet") {
      if let (reason, remedy) = FileContent.foreign(name: path) { throw WeirError(path, reason, remedy: remedy) }
    }
    totalBytes = files.contains("-") ? nil : try files.reduce(0) { $0 + (try objects[$1]?.size ?? Files.size($1)) }
  }

  /// The files of a folder, or the file itself.
  private static func expand(_ path: String) throws -> [String] {
    guard path != "-", Files.isFolder(path) else { return [path] }
    let manifest = path + "/" + Manifest.fileName
    if let format = (try? JSONDocument(Files.readWhole(manifest), place: manifest))?.root["format"]?.string, format.hasPrefix("weir.") {
      throw WeirError(
        path, "is a \(ArtifactRegistry.kind(format: format)), not a folder of documents",
        remedy: "give documents; weir peek shows what it is")
    }
    let found = try Files.walk(path, hidden: false)
    if found.isEmpty { throw WeirError(path, "folder without files", remedy: "name a folder with documents") }
    let base = path.hasSuffix("/") ? path : path + "/"
    let files = found.map { base + $0 }
    if let other = files.first(where: { !Files.isRegular($0) }) {
      throw WeirError(other, "is not a regular file", remedy: "give it by its own name, or give only documents, such as '\(base)*.jsonl'")
    }
    return files
  }

  /// Bytes on disk that were read so far.
  package var bytesRead: Int { doneBytes + (current?.reader?.position ?? 0) }

  /// Where the next block begins.
  package var position: Position {
    // A text is one block; after it, the next block is in the next file.
    if let current, current.kind != .text || current.byte == 0 {
      return Position(file: nextFile - 1, byte: current.byte, line: current.line)
    }
    return beginning ?? Position(file: nextFile, byte: 0, line: 1)
  }

  /// Starts where a block of an earlier run over the same files began. Call it before anything is read.
  package func start(at position: Position) throws {
    precondition(current == nil && nextFile == 0, "blocks were read already")
    precondition((0...files.count).contains(position.file) && position.byte >= 0 && position.line >= 1, "not a position in the files")
    for path in files.prefix(position.file) { doneBytes += try objects[path]?.size ?? Files.size(path) }
    nextFile = position.file
    beginning = position.byte > 0 ? position : nil
  }

  /// Where each block from now on begins.
  package func trackBlocks() -> BlockPositions {
    let positions = BlockPositions()
    self.positions = positions
    return positions
  }

  /// Identifies the files for a later run: their paths, sizes and modification times, or the ETags of objects; nil where one of them is standard
  /// input.
  package func identity() throws -> JSONValue? {
    guard totalBytes != nil else { return nil }
    return .array(
      try files.map { path in
        if let object = objects[path] {
          return ["path": .string(path), "bytes": .number(Double(object.size)), "etag": .string(object.etag)]
        }
        return [
          "path": .string(path), "bytes": .number(Double(try Files.size(path))), "modified": .string(String(try Files.modified(path))),
        ]
      })
  }

  /// The next block; nil at the end.
  /// - Throws: `WeirError` for a file that cannot be read or is damaged.
  package func next() throws -> LineBlock? {
    let position = position
    guard let block = try nextBlock() else { return nil }
    positions?.push(position)
    return block
  }

  private func nextBlock() throws -> LineBlock? {
    while true {
      if current == nil {
        guard nextFile < files.count else { return nil }
        let name = files[nextFile]
        let object = try objects[name].flatMap { try cache?.open($0) }
        let local = object?.path ?? name
        if object != nil, !ParquetReader.isParquet(local), let (reason, remedy) = FileContent.foreign(name: name) {
          throw WeirError(name, reason, remedy: remedy)
        }
        let source = try open(local, name)
        let reader = source as? ByteReader
        try reader.map(Self.refuseTokens)
        var state = FileState(
          source: source, reader: reader, local: local, object: object, kind: reader == nil ? .lines : Self.kind(byName: name))
        if let begin = beginning { try skip(&state, to: begin) }
        current = state
        nextFile += 1
      }
      if let block = try nextOfCurrent() { return block }
      try closeCurrent()
    }
  }

  /// Checks that everything was read.
  /// - Throws: `WeirError` where blocks are left.
  package func finish() throws {
    guard current == nil, nextFile == files.count else {
      throw WeirError(displayName(files[max(0, nextFile - 1)]), "was not read to its end")
    }
  }

  /// Skips to the middle of a file. It contains lines, since a text is one block.
  private func skip(_ state: inout FileState, to position: Position) throws {
    beginning = nil
    (state.byte, state.line, state.kind, state.isFirst) = (position.byte, position.line, .lines, false)
    // A file that was read by elements was read so from its beginning.
    if state.reader != nil, try FileContent.needsLines(Self.head(state.local)) {
      state.source = JSONElementReader(state.source, head: [])
    }
    if try state.source.skip(position.byte) { return }
    throw WeirError(
      files[position.file], "ends before byte \(position.byte), where the earlier run stopped",
      remedy: "restore the file, or remove the partial output to start over")
  }

  private func closeCurrent() throws {
    guard let state = current else { return }
    let path = files[nextFile - 1]
    if let reader = state.reader {
      if state.kind != .text { try reader.finish(records: state.line - 1) }
      doneBytes += reader.position
    }
    if state.isFirst { emptyFiles.append(path) }
    lines += state.line - 1
    current = nil
  }

  package var warnings: [String] {
    let texts =
      plainTexts.isEmpty
      ? []
      : [
        "\(plainTexts[0]): its name tells no type; read as plain text, as one document"
          + (plainTexts.count > 1 ? ", as were \(plainTexts.count - 1) other files" : "")
      ]
    return emptyFiles.map { "\(displayName($0)): empty file" } + texts
  }

  /// The kind of file that a name stands for; nil where the first byte decides.
  private static func kind(byName path: String) -> LineBlock.Kind? {
    if path == "-" { return .lines }
    var name = path.lowercased()[...]
    for ending in [".gz", ".zst"] where name.hasSuffix(ending) { name = name.dropLast(ending.count) }
    if [".jsonl", ".ndjson", ".json"].contains(where: { name.hasSuffix($0) }) { return .lines }
    return [".txt", ".text", ".md"].contains(where: { name.hasSuffix($0) }) ? .text : nil
  }

  /// The next block of the current file; nil at its end.
  private func nextOfCurrent() throws -> LineBlock? {
    guard var state = current else { return nil }
    // Move the state out and back, so that its buffer is never shared and copied.
    current = nil
    defer { current = state }
    let path = files[nextFile - 1]
    var bytes: [UInt8] = []
    // Room for the block, the read that ends it, and the padding, so that the buffer never grows.
    bytes.reserveCapacity(min(blockSize, 1 << 20) + Files.pieceBytes + LineBlock.padding)
    bytes.append(contentsOf: state.carry)
    state.carry = []
    var scanned = 0
    while true {
      if state.kind != .text, bytes.count >= blockSize || state.ended,
        let cut = state.ended ? bytes.count : Self.endOfLastLine(bytes, from: scanned)
      {
        if bytes.isEmpty { return nil }
        state.carry = Array(bytes[cut...])
        bytes.removeSubrange(cut...)
        let first = state.line
        state.line += Self.lineCount(bytes)
        state.byte += bytes.count
        // Consumed, not shared, so that the padding is appended without a copy.
        var block = LineBlock(path: path, firstLine: first, content: consume bytes, limit: limit)
        block.isTable = state.reader == nil
        return block
      }
      if state.ended {
        // A plain text is one document.
        if bytes.isEmpty { return nil }
        state.line += 1
        state.byte += bytes.count
        return LineBlock(path: path, firstLine: 1, content: bytes, kind: .text, limit: limit)
      }
      scanned = bytes.count >= blockSize ? bytes.count : 0
      // Once a block long without a newline, it is the beginning of one line.
      if bytes.count > limit, state.kind == .text || scanned > 0 { return try skipLongLine(&state, bytes, path) }
      try read(&state, into: &bytes)
    }
  }

  /// Skips a line or text that is too long and begins with `bytes`; keeps what follows it.
  private func skipLongLine(_ state: inout FileState, _ bytes: [UInt8], _ path: String) throws -> LineBlock {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Files.pieceBytes, alignment: 64)
    defer { buffer.deallocate() }
    var length = bytes.count
    state.byte += bytes.count
    while !state.ended {
      let got = try state.source.read(into: buffer)
      if got == 0 {
        state.ended = true
      } else if state.kind != .text, let newline = buffer[..<got].firstIndex(of: 0x0A) {
        length += newline
        state.byte += newline + 1
        state.carry = Array(buffer[(newline + 1)..<got])
        break
      } else {
        length += got
        state.byte += got
      }
    }
    state.line += 1
    return LineBlock(path: path, firstLine: state.line - 1, content: [], kind: .leftOut(length: length), limit: limit)
  }

  /// Reads more. At the beginning of a file, removes the byte order mark and decides what the file contains.
  private func read(_ state: inout FileState, into bytes: inout [UInt8]) throws {
    try Self.append(&state, to: &bytes)
    guard state.isFirst, !bytes.isEmpty else { return }
    state.isFirst = false
    while bytes.count < FileContent.headBytes, !state.ended { try Self.append(&state, to: &bytes) }
    let path = files[nextFile - 1], kind = try Self.kind(of: bytes, path: path, byName: state.kind)
    if state.kind == nil, kind == .text { plainTexts.append(path) }
    state.kind = kind
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      bytes.removeFirst(3)
      state.byte += 3
    }
    if kind == .lines, FileContent.needsLines(bytes) {
      state.source = JSONElementReader(state.source, head: bytes)
      (state.ended, state.byte, bytes) = (false, 0, [])
      try Self.append(&state, to: &bytes)
    }
  }

  /// Reads up to one piece more.
  private static func append(_ state: inout FileState, to bytes: inout [UInt8]) throws {
    var got = 0
    // Read in place; only zstd frames are copied once more.
    try bytes.append(addingCapacity: Files.pieceBytes) { span in
      try span.withUnsafeMutableBufferPointer { room, count in
        got = try state.source.read(into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: room[count...])))
        count += got
      }
    }
    if got == 0 { state.ended = true }
  }

  /// The first bytes of a file's content.
  private static func head(_ path: String) throws -> [UInt8] {
    let source = try ByteReader(path)
    try refuseTokens(source)
    return try [UInt8](unsafeUninitializedCapacity: FileContent.headBytes) { room, count in
      while count < room.count {
        let got = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(room)[count...]))
        if got == 0 { break }
        count += got
      }
    }
  }

  private static func refuseTokens(_ reader: ByteReader) throws {
    guard reader.kind == .tokens else { return }
    throw WeirError(
      displayName(reader.path), "contains token documents, not documents", remedy: "pipe it into weir shard or weir tokenize --decode")
  }

  /// What a file contains.
  /// - Throws: `WeirError` for content that is not documents.
  private static func kind(of head: [UInt8], path: String, byName: LineBlock.Kind?) throws -> LineBlock.Kind {
    if let (reason, remedy) = FileContent.foreign(head, path: path, kind: byName) {
      throw WeirError(displayName(path), reason, remedy: remedy)
    }
    if let byName { return byName }
    let first = head.first { !FileContent.isBlank($0) }
    return first == 0x7B || FileContent.needsLines(head) ? .lines : .text
  }

  private static func endOfLastLine(_ bytes: [UInt8], from: Int) -> Int? {
    bytes.withUnsafeBufferPointer { bytes in bytes[from...].lastIndex(of: 0x0A).map { $0 + 1 } }
  }

  /// The number of lines; a last one without a newline counts.
  package static func lineCount(_ bytes: [UInt8]) -> Int {
    let count = bytes.withUnsafeBufferPointer { weir_json_newlines($0.baseAddress, $0.count) }
    return bytes.last == 0x0A || bytes.isEmpty ? count : count + 1
  }
}
