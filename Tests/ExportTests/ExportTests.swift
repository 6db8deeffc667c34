import Artifacts
import Documents
import Export
import Inspection
import Pipeline
import Primitives
import Storage
import TestSupport
import Testing
import Tokens
import Workflows

@Suite struct ExportTests {
  /// The documents of a dataset, each with its end.
  private func documents(_ dataset: TokenDataset) throws -> [[Int32]] {
    try (0..<dataset.documentCount).map { try dataset.tokens(document: $0, range: 0..<dataset.length($0)) }
  }

  @discardableResult
  private func export(
    _ dataset: TokenDataset, _ format: ExportFormat, to path: String, shardTokens: Int? = 100, sequence: Int? = nil, shuffle: UInt64? = nil
  ) throws -> Account {
    let configuration = TokenExport.Configuration(format: format, shardTokens: shardTokens, sequence: sequence, shuffle: shuffle)
    let source = DocumentSegments(try DocumentInfoReader(dataset), format: format, shuffle: shuffle)
    let account = try TokenExport(configuration, of: dataset).write([("", source)], to: path, tool: "test")
    #expect(account.isBalanced && account.input == source.count)
    #expect(try Verification.check(path, registry: .all).problems.isEmpty)
    return account
  }

  /// u16 up to 65,536 tokens, u32 above.
  @Test(arguments: [300, 65_536, 65_537, 200_000], [1, 2] as [UInt64])
  func otherReadersFindTheDocuments(vocabulary: Int, seed: UInt64) throws {
    try withTemporaryFolder { folder in
      try writeDataset(folder + "/set", seed: seed, documents: 40, vocabulary: vocabulary)
      let dataset = try TokenDataset(folder + "/set")
      let expected = try documents(dataset)
      let width = vocabulary <= 65_536 ? 2 : 4
      for format in ExportFormat.allCases { try export(dataset, format, to: "\(folder)/\(format)") }
      let arrays = try ExportReaders.npy(folder + "/npy", width: width)
      #expect(arrays.flatMap { $0 } == expected.flatMap { $0 })
      // A new file begins with the first document after 100 tokens.
      #expect(arrays.count > 2 && arrays.dropLast().allSatisfy { (100...121).contains($0.count) && $0.last == 2 })
      let olmo = try ExportReaders.olmo(folder + "/olmo", width: width)
      #expect(olmo.map(\.tokens) == expected)
      #expect(olmo.map(\.fields) == (0..<40).map { ["d\($0)", "in.jsonl", "\($0 + 1)"] })
      let begun = expected.map { [2] + $0.dropLast() }
      #expect(try ExportReaders.llmc(folder + "/llmc", width: width).flatMap { $0 } == begun.flatMap { $0 })
      let samples = try ExportReaders.mds(folder + "/mds", width: width)
      #expect(samples.map { $0[2].tokens } == expected)
      #expect(samples.map { $0[0].text } == (0..<40).map { "d\($0)" } && samples.allSatisfy { $0[1].text == "web" })
    }
  }

  @Test func rowsAreCutFromTheDocumentsOneAfterAnother() throws {
    try withTemporaryFolder { folder in
      try writeDataset(folder + "/set", seed: 3, documents: 30)
      let dataset = try TokenDataset(folder + "/set")
      let all = try documents(dataset).flatMap { $0 }
      for sequence in [1, 7, 300] {
        let account = try export(dataset, .mds, to: folder + "/rows", shardTokens: nil, sequence: sequence)
        let rows = try ExportReaders.mds(folder + "/rows", width: 2).map { $0[0].tokens }
        #expect(rows.allSatisfy { $0.count == sequence })
        #expect(rows.flatMap { $0 } == Array(all[..<(all.count / sequence * sequence)]))
        #expect(account.extra["tokens left over"] ?? 0 == Double(all.count % sequence))
      }
      #expect(throws: WeirError.self) { try export(dataset, .mds, to: folder + "/none", sequence: all.count + 1) }
      #expect(!Files.exists(folder + "/none") && !Files.exists(folder + "/none.partial"))
    }
  }

  @Test func shufflingIsAPermutationThatTheSeedDecides() throws {
    try withTemporaryFolder { folder in
      try writeDataset(folder + "/set", seed: 4, documents: 50)
      let dataset = try TokenDataset(folder + "/set")
      let inOrder = try documents(dataset)
      var orders: [[[Int32]]] = []
      for seed in [1, 1, 2] as [UInt64] {
        try export(dataset, .mds, to: folder + "/mds", shuffle: seed)
        orders.append(try ExportReaders.mds(folder + "/mds", width: 2).map { $0[2].tokens })
      }
      #expect(orders[0] == orders[1] && orders[0] != orders[2] && orders[0] != inOrder)
      for order in orders {
        #expect(order.sorted { $0.lexicographicallyPrecedes($1) } == inOrder.sorted { $0.lexicographicallyPrecedes($1) })
      }
    }
  }

  @Test(arguments: [5, 6] as [UInt64]) func everyWindowIsInTheFolderOfItsLeaf(seed: UInt64) throws {
    try withTemporaryFolder { folder in
      var random = SequentialRandom(seed: seed)
      let writer = try TokenDatasetWriter(folder + "/set", tokenizer: "t", tokenizerFile: [], vocabulary: 9_000, endOfDocument: 2)
      // Around the window's length: a window that is the end alone, and one that ends with it.
      let lengths = [1, 5, 1_022, 1_023, 1_024, 1_025, 2_047, 2_048, 5_000, 3_333]
      try writer.append(
        lengths.enumerated().map { index, length in
          TokenDocument(
            id: "d\(index)", source: nil, origin: "x:\(index)", bytes: 1,
            tokens: (0..<length).map { _ in UInt32.random(in: 3..<9_000, using: &random) })
        })
      _ = try writer.commit(tool: "test")
      let dataset = try TokenDataset(folder + "/set")
      let leaves = (0..<dataset.windowCount).map { _ in UInt32.random(in: 0..<3, using: &random) }
      let assignment = ClusterAssignment(dataset: dataset.fingerprint, tree: "t", leafCount: 4, leaves: leaves)
      let parts = try DocumentSegments.byLeaf(try DocumentInfoReader(dataset), assignment: assignment, format: .npy)
      let export = try TokenExport(.init(format: .npy), of: dataset)
      let account = try export.write(
        parts.enumerated().map { ("leaf-\($0)", $1 as any ExportSource) }, to: folder + "/out", tool: "test")
      #expect(account.isBalanced && !Files.exists(folder + "/out/leaf-3"))
      for leaf in 0..<3 {
        // By definition: windows without the document's end, joined where they touch, each stretch ended.
        var expected: [Int32] = []
        for document in 0..<dataset.documentCount {
          var open = false
          for window in dataset.windows(of: document) {
            let tokens = try dataset.tokens(window: window).filter { $0 != 2 }
            if leaves[window] == leaf, !tokens.isEmpty {
              expected += tokens
              open = true
            } else if open {
              expected.append(2)
              open = false
            }
          }
          if open { expected.append(2) }
        }
        #expect(try ExportReaders.npy(folder + "/out/leaf-\(leaf)", width: 2).flatMap { $0 } == expected)
      }
      let stranger = ClusterAssignment(dataset: "another", tree: "t", leafCount: 4, leaves: leaves)
      #expect(throws: WeirError.self) {
        _ = try DocumentSegments.byLeaf(try DocumentInfoReader(dataset), assignment: stranger, format: .npy)
      }
    }
  }

  @Test func namesWithCommasAndLineBreaksStayOnALine() throws {
    try withTemporaryFolder { folder in
      let writer = try TokenDatasetWriter(folder + "/set", tokenizer: "t", tokenizerFile: [], vocabulary: 300, endOfDocument: 2)
      try writer.append([TokenDocument(id: "a,\"b\"\r\nc", source: nil, origin: "no place", bytes: 1, tokens: [5])])
      _ = try writer.commit(tool: "test")
      try export(try TokenDataset(folder + "/set"), .olmo, to: folder + "/out")
      #expect(try ExportReaders.lines(folder + "/out/part-00000.csv.gz") == [#"0,2,"a,""b""  c",no place,"#])
    }
  }

  @Test func gzipOfAnySizeComesBack() throws {
    try withTemporaryFolder { folder in
      for count in [0, 1, 65_535, 65_536, 300_000] {
        var random = SequentialRandom(seed: UInt64(count))
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        try Files.write(try Gzip.compress(bytes), to: folder + "/x.gz")
        #expect(try ExportReaders.unpacked(folder + "/x.gz") == bytes)
      }
    }
  }

  @Test func damageIsFoundWithItsByte() throws {
    try withTemporaryFolder { folder in
      try writeDataset(folder + "/set", seed: 8)
      let dataset = try TokenDataset(folder + "/set")
      for (format, name) in [(ExportFormat.mds, "shard.00000.mds"), (.npy, "part-00000.npy"), (.llmc, "train_000000.bin")] {
        try export(dataset, format, to: folder + "/out", shardTokens: nil)
        let whole = try Files.read("\(folder)/out/\(name)")
        let file = "\(folder)/alone-\(name)"
        func isFound(_ bytes: [UInt8]) throws -> Bool {
          try Files.write(bytes, to: file)
          do {
            return try Verification.check(file, registry: .all).problems.count == 1
          } catch let error as WeirError {
            return error.description.contains(file)
          }
        }
        #expect(try !isFound(whole))
        for count in [whole.count - 1, whole.count / 2, 9, 7, 0] { #expect(try isFound(Array(whole[..<count])), "\(name) of \(count)") }
        for place in [0, 4, 8, 11] {
          var bytes = whole
          bytes[place] ^= 0xF1
          #expect(try isFound(bytes), "\(name) at \(place)")
        }
      }
    }
  }
}
