import Foundation
import Primitives
import Synchronization

/// XXH3-64 of the blocks of a file, computed while the bytes pass.
struct BlockHasher {
  private let stream = ChecksumStream()
  private var values: [UInt64] = []

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = rest.prefix(BlockChecksums.blockBytes - stream.count)
      stream.update(UnsafeRawBufferPointer(rebasing: piece))
      rest = rest[piece.endIndex...]
      if stream.count == BlockChecksums.blockBytes { close() }
    }
  }

  /// The checksums; the last block may be shorter.
  mutating func finish() -> [UInt64] {
    if stream.count > 0 { close() }
    return values
  }

  private mutating func close() {
    values.append(stream.value)
    stream.reset()
  }
}

/// The checksums of the blocks of all files of a folder, `blocks.xxh3`: u64 per block of 64 KiB, file after file in the order of the manifest. They
/// let a reader check the parts that it reads. They follow from the files, so that the folder's fingerprint leaves them out.
package final class BlockChecksums: Sendable {
  package static let fileName = "blocks.xxh3"
  package static let blockBytes = 1 << 16

  private let table: MappedFile
  /// The first block of each file.
  private let first: [String: Int]

  static func count(bytes: Int) -> Int { (bytes + blockBytes - 1) / blockBytes }

  /// Writes the checksums of the files of a folder that is being written.
  static func write(_ files: [FileRecord], in folder: String) throws -> FileRecord {
    let file = try AtomicFile(folder + "/" + fileName)
    for record in files {
      // Checksums of files that an earlier run wrote are not known.
      let isKnown = record.blocks.count == count(bytes: record.bytes)
      let blocks = isKnown ? record.blocks : try FileRecord(name: record.name, file: folder + "/" + record.name).blocks
      try file.write(blocks.reduce(into: []) { $0.append(integer: $1) })
    }
    return try file.commit()
  }

  /// The checksums in a folder; nil in folders of earlier versions, which have none.
  package init?(_ manifest: Manifest, in folder: String) throws {
    guard manifest.files.contains(where: { $0.name == Self.fileName }) else { return nil }
    // Not checked as a whole, which would read all of it: a wrong checksum is found when it is compared with a block.
    table = try manifest.map(Self.fileName, in: folder).file
    var first: [String: Int] = [:]
    var next = 0
    for record in manifest.files where record.name != Self.fileName {
      first[record.name] = next
      next += Self.count(bytes: record.bytes)
    }
    guard table.count == 8 * next else {
      throw WeirError(table.path, "has \(table.count) bytes, not the \(8 * next) of \(next) checksums", remedy: "make the folder again")
    }
    self.first = first
  }

  fileprivate func value(_ name: String, block: Int) -> UInt64 { table.withBytes { $0.integer(at: 8 * ((first[name] ?? 0) + block)) } }
}

/// A mapped file of a folder with a manifest, whose blocks are checked before they are read: each one once.
package final class CheckedFile: Sendable {
  package let file: MappedFile
  private let record: FileRecord
  private let blocks: BlockChecksums?
  private let isWholeChecked = Atomic<Bool>(false)
  private nonisolated(unsafe) let checked: UnsafeMutablePointer<Atomic<Bool>>
  private let count: Int

  package var path: String { file.path }

  /// Maps a file, and checks its size.
  package init(_ name: String, of manifest: Manifest, in folder: String, blocks: BlockChecksums?) throws {
    (file, record) = try manifest.map(name, in: folder)
    self.blocks = blocks
    count = blocks == nil ? 0 : BlockChecksums.count(bytes: file.count)
    // Zeros mean false, and memory that the system has cleared is not touched before it is used.
    guard let zeros = calloc(max(1, count), MemoryLayout<Atomic<Bool>>.stride) else { throw systemError(file.path, ENOMEM) }
    checked = zeros.bindMemory(to: Atomic<Bool>.self, capacity: max(1, count))
  }

  deinit {
    free(checked)
  }

  /// Calls `body` with the content, whose bytes in `range` are checked; the others must not be used. Files without checksums of blocks are
  /// not checked.
  package func withBytes<R>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
    try check(range)
    return try file.withBytes(body)
  }

  /// Checks the bytes of a range.
  package func check(_ range: Range<Int>) throws {
    guard let blocks, !range.isEmpty else { return }
    let size = BlockChecksums.blockBytes
    for block in range.lowerBound / size...(range.upperBound - 1) / size where !checked[block].load(ordering: .relaxed) {
      let found = file.withBytes { Checksum.xxh3(UnsafeRawBufferPointer(rebasing: $0[block * size..<min($0.count, (block + 1) * size)])) }
      guard found == blocks.value(record.name, block: block) else {
        throw WeirError(
          "\(path)@\(block * size)", "is damaged: the checksum of this block has changed",
          remedy: "restore it or make it again; `weir verify` lists what is damaged")
      }
      checked[block].store(true, ordering: .relaxed)
    }
  }

  /// Checks the whole content.
  package func check() throws {
    if blocks != nil { return try check(0..<file.count) }
    if isWholeChecked.load(ordering: .relaxed) { return }
    try record.check(file)
    isWholeChecked.store(true, ordering: .relaxed)
  }
}
