import Foundation
import Loading
import Primitives
import Storage
import TestSupport
import Testing
import Tokens

@Suite struct RowPackingTests {
  /// Every token of the dataset is in one segment of one row, and no segment leaves its row, its document or its group.
  @Test(arguments: RowPacking.allCases, 1...4 as ClosedRange<UInt64>) func everyTokenIsInOneRow(packing: RowPacking, seed: UInt64) throws {
    let lengths = randomLengths(seed, count: 60) + [1, 1, 5_000], names = ["a", "b", "c"]
    try withDataset(lengths: lengths, sources: names) { path in
      let dataset = try TokenDataset(path), rows = try pack(path, sequence: 64, packing, bySource: true)
      #expect(rows.groups.map(\.name) == names && rows.groups.reduce(0) { $0 + $1.tokens } == dataset.tokenCount)
      var seen = lengths.map { [Bool](repeating: false, count: $0 + 1) }
      for (group, own) in rows.groups.enumerated() {
        for row in rows.firstRows[group]..<rows.firstRows[group] + own.rows {
          let segments = try rows.segments(row: row)
          #expect((1...64).contains(segments.reduce(0) { $0 + $1.count }))
          for segment in segments {
            #expect(segment.document % 3 == group)
            let range = segment.offset..<segment.offset + segment.count
            #expect(!seen[segment.document][range].contains(true))
            for token in range { seen[segment.document][token] = true }
          }
        }
      }
      #expect(seen.allSatisfy { $0.allSatisfy { $0 } })
    }
  }

  @Test func bestFitCutsOnlyLongDocumentsAndLeavesLittlePadding() throws {
    // Log-normal, as lengths of documents are.
    var random = SequentialRandom(seed: 3)
    let lengths = (0..<4_000).map { _ in
      Int(exp(5 + 1.2 * (2 * log(random.uniform() + 1e-9)).magnitude.squareRoot() * cos(2 * .pi * random.uniform()))) + 1
    }
    try withDataset(lengths: lengths) { path in
      let rows = try pack(path, sequence: 512, .bestFit), counts = rows.manifest.counts
      #expect(counts["cut_documents"] == lengths.count { $0 + 1 > 512 })
      // What a document longer than a row leaves is at most one row that is not full; all others are filled.
      let padding = Double(counts["padding"] ?? 0) / Double(rows.rowCount * 512)
      #expect(padding < 0.005, "\(padding)")
      for row in 0..<rows.rowCount {
        let whole = try rows.segments(row: row).filter { lengths[$0.document] + 1 <= 512 }
        #expect(whole.allSatisfy { $0.offset == 0 && $0.count == lengths[$0.document] + 1 })
      }
    }
  }

  /// The rows are those of best-fit decreasing by its definition: the piece goes to the fullest row with room for it.
  @Test(arguments: 1...5 as ClosedRange<UInt64>) func bestFitIsBestFitDecreasing(seed: UInt64) throws {
    let lengths = randomLengths(seed, count: 120).map { $0 % 90 + 1 }
    try withDataset(lengths: lengths) { path in
      let rows = try pack(path, sequence: 100, .bestFit)
      var naive: [[Int]] = []
      for length in lengths.map({ $0 + 1 }).sorted(by: >) {
        let room = naive.map { 100 - $0.reduce(0, +) }
        let fits = room.indices.filter { room[$0] >= length }
        if let best = fits.min(by: { room[$0] < room[$1] }) { naive[best].append(length) } else { naive.append([length]) }
      }
      let made: [Int] = try (0..<rows.rowCount).map { row in try rows.segments(row: row).reduce(0) { $0 + $1.count } }
      let expected: [Int] = naive.map { row in row.reduce(0, +) }
      #expect(made.sorted() == expected.sorted())
    }
  }

  @Test func concatPadsOnlyTheLastRowOfAGroup() throws {
    try withDataset(lengths: randomLengths(5, count: 80), sources: ["a", "b"]) { path in
      let rows = try pack(path, sequence: 96, bySource: true)
      for (group, own) in rows.groups.enumerated() {
        for row in 0..<own.rows - 1 {
          #expect(try rows.segments(row: rows.firstRows[group] + row).reduce(0) { $0 + $1.count } == 96)
        }
        #expect(own.rows == (own.tokens + 95) / 96)
      }
    }
  }

  /// Neighboring windows of a document are one segment: it is as long as the row allows.
  @Test func contextReachesBeyondAWindow() throws {
    try withDataset(lengths: [9_999]) { path in
      let rows = try pack(path, sequence: 4_096)
      #expect(try rows.segments(row: 0) == [.init(document: 0, offset: 0, count: 4_096)])
      #expect(try rows.segments(row: 2) == [.init(document: 0, offset: 8_192, count: 1_808)])
    }
  }

  @Test func rowsAreReusedUntilTheDatasetChanges() throws {
    try withDataset(lengths: [300, 20]) { path in
      let first = try pack(path, sequence: 32)
      let made = try Files.modified(first.path)
      #expect(try pack(path, sequence: 32).fingerprint == first.fingerprint && Files.modified(first.path) == made)
      try Files.remove(path)
      try writeDataset(path, lengths: [300, 21])
      #expect(try pack(path, sequence: 32).fingerprint != first.fingerprint)
      #expect(errorMessage { _ = try pack(path, sequence: 1) }.contains("sequence"))
    }
  }

  @Test func damageIsFoundWhenARowIsRead() throws {
    try withDataset(lengths: randomLengths(2, count: 30)) { path in
      let folder = try pack(path, sequence: 32).path, file = folder + "/" + PackedRows.segmentsFile
      var bytes = try Files.readWhole(file)
      bytes[3] ^= 0x10
      try Files.write(bytes, to: file)
      let rows = try PackedRows(folder, dataset: TokenReader(path))
      #expect(errorMessage { _ = try rows.segments(row: 0) }.contains("damaged"))
    }
  }

  /// Opening and reading a row far inside touch a few pages, whatever the size: files of a terabyte that are holes.
  @Test func openingTouchesLittle() throws {
    try withTemporaryFolder { folder in
      let documents = 1 << 27, length = 4_096, sequence = 4_096, set = folder + "/set", rows = set + "/rows/r"
      try Files.createFolder(rows)
      func sparse(_ path: String, _ bytes: Int, _ parts: [(Int, [UInt8])] = []) throws {
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.truncate(atOffset: UInt64(bytes))
        for (offset, part) in parts {
          try handle.seek(toOffset: UInt64(offset))
          try handle.write(contentsOf: part)
        }
        try handle.close()
      }
      func integers<T: FixedWidthInteger>(_ values: [T]) -> [UInt8] { values.reduce(into: []) { $0.append(integer: $1) } }
      let far = documents - 2, tokenBytes = documents * length * 2
      var header = MegatronIndex.encode(lengths: [1], tokenBytes: 2).prefix(MegatronIndex.headerBytes)
      header.replaceSubrange(18..<34, with: integers([UInt64(documents), UInt64(documents + 1)]))
      let pointers = 34 + 4 * documents
      try sparse(set + "/shard-00000.bin", tokenBytes, [(far * length * 2, integers([UInt16](repeating: 7, count: length)))])
      try sparse(
        set + "/shard-00000.idx", 34 + 20 * documents + 8,
        [(0, Array(header)), (34 + 4 * far, integers([Int32(length), Int32(length)])), (pointers + 8 * far, integers([far * length * 2, (far + 1) * length * 2].map(Int64.init)))])
      try sparse(rows + "/rows.u64", 8 * (documents + 1), [(8 * far, integers([UInt64(far), UInt64(far + 1)]))])
      try sparse(rows + "/segments.u64", 24 * documents, [(24 * far, integers([UInt64(far), 0, UInt64(length)]))])
      try Files.write(Array("[{\"name\":\"all\",\"rows\":\(documents),\"tokens\":\(documents * length)}]".utf8), to: rows + "/groups.json")
      func manifest(_ folder: String, _ format: String, inputs: [String: String], counts: [String: Int], files: [String]) throws {
        let records = try files.map { name in
          let bytes = try Files.size(folder + "/" + name)
          let checksum = bytes < 1 << 20 ? try Checksum.hex(file: folder + "/" + name) : Checksum.hex(0)
          return FileRecord(name: name, bytes: bytes, xxh3: checksum)
        }
        try Manifest(format: format, tool: "test", inputs: inputs, configuration: .object([:]), counts: counts, files: records)
          .write(folder: folder)
      }
      try manifest(
        set, "weir.token-dataset.1", inputs: ["tokenizer": "t"],
        counts: ["documents": documents, "tokens": documents * length, "bytes": 0, "shards": 1, "vocabulary": 100, "end_of_document": 0],
        files: ["shard-00000.bin", "shard-00000.idx"])
      let reader = try TokenReader(set)
      try manifest(
        rows, PackedRows.format, inputs: ["dataset": reader.fingerprint],
        counts: ["sequence": sequence, "rows": documents, "segments": documents], files: ["groups.json", "rows.u64", "segments.u64"])
      #expect(tokenBytes == 1 << 40)
      func resident() throws -> Int {
        let text = String(decoding: try Files.readWhole("/proc/self/smaps_rollup"), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("Rss:") } ?? ""
        return (Int(line.filter(\.isNumber)) ?? 0) << 10
      }
      let before = try resident()
      let packed = try PackedRows(rows, dataset: reader)
      let order = try order([packed])
      let loader = try PackedLoader(order, sources: [packed], rows: 1)
      var batch = Batch(rows: 1, sequence: sequence)
      try packed.fill(&batch, row: 0, from: far)
      #expect(batch.tokens.allSatisfy { $0 == 7 } && loader.sequence == sequence)
      _ = try order.row(at: 1 << 40)
      // Other tests run beside this one: the bound is loose, but a thousandth of a thousandth of the files.
      #expect(try resident() - before < 64 << 20)
    }
  }
}
