import Artifacts
import Export
import Inspection
import Loading
import Pipeline
import Primitives
import Storage
import TestSupport
import Testing
import Tokens
import Workflows

/// Rows with several segments and padding, which no loader is needed for.
private struct Rows: ExportSource {
  let sequence: Int
  let rows: [ExportSample]

  init(_ count: Int, sequence: Int, _ random: inout SequentialRandom) {
    self.sequence = sequence
    rows = (0..<count).map { row in
      var segments: [ExportSegment] = []
      var start = 0
      while start < sequence {
        let length = min(sequence - start, Int.random(in: 1...sequence, using: &random))
        var segment = ExportSegment(start: start, count: length, document: Int.random(in: 0..<99, using: &random), offset: 1_000 * row)
        (segment.id, segment.origin) = ("d\(segment.document)", "in.jsonl:\(segment.document + 1)")
        segments.append(segment)
        start += length
        // The rest is padding.
        if Int.random(in: 0..<6, using: &random) == 0 { break }
      }
      let used = segments.reduce(0) { $0 + $1.count }
      let tokens = (0..<sequence).map { $0 < used ? Int32.random(in: 3..<300, using: &random) : 0 }
      return ExportSample(id: "row-\(row)", tokens: tokens, segments: segments)
    }
  }

  var count: Int { rows.count }
  var fixedLength: Int? { sequence }
  func length(_ index: Int) -> Int { sequence }
  func sample(_ index: Int) throws -> ExportSample { rows[index] }
}

/// A dataset with an assignment of its windows, and a mixture.
private func writeMixture(_ folder: String, seed: UInt64, weights: [Double], runTokens: Int) throws -> TokenDataset {
  try writeDataset(folder + "/set", seed: seed, documents: 80)
  let dataset = try TokenDataset(folder + "/set")
  var random = SequentialRandom(seed: seed, stream: 9)
  let leaves = (0..<dataset.windowCount).map { _ in UInt32.random(in: 0..<UInt32(weights.count), using: &random) }
  let assignment = try ClusterAssignment(dataset: dataset.fingerprint, tree: "tree", leafCount: weights.count, leaves: leaves)
    .write(to: folder + "/set/clusters/tree", tool: "test")
  var windows = [Int](repeating: 0, count: weights.count), tokens = windows
  for (window, leaf) in leaves.enumerated() {
    windows[Int(leaf)] += 1
    tokens[Int(leaf)] += dataset.window(window).count
  }
  let mixture = Mixture(
    method: "crisp", dataset: dataset.fingerprint, tree: "tree", assignment: assignment.fingerprint, seedData: "", depth: 1, smoothing: 0,
    maxEpochs: nil, runTokens: runTokens, moved: 0, effectiveSampleSize: 1,
    clusters: weights.indices.map { leaf in
      Mixture.Cluster(
        leaf: leaf, general: Double(tokens[leaf]) / Double(dataset.tokenCount), seed: 0, weight: weights[leaf], windows: windows[leaf],
        tokens: tokens[leaf], epochs: weights[leaf] * Double(runTokens) / Double(tokens[leaf]))
    })
  try mixture.write(to: folder + "/mix.json")
  return dataset
}

@Suite struct MixtureExportTests {
  /// Row, start, count, document and offset of each segment, counted over all files.
  private func segments(of folder: String, sequence: Int) throws -> [[Int]] {
    var row = 0
    var found: [[Int]] = []
    for name in try Files.entries(of: folder) where name.hasSuffix(".segments.npy") {
      let bytes = try Files.read("\(folder)/\(name)"), end = 10 + ExportReaders.integer(bytes[8..<10])
      let numbers = stride(from: end, to: bytes.count, by: 8).map { ExportReaders.integer(bytes[$0..<$0 + 8]) }
      let header = String(decoding: bytes[10..<end], as: UTF8.self)
      #expect(header.contains("{'descr': '<i8', 'fortran_order': False, 'shape': (\(numbers.count / 5), 5), }"))
      for start in stride(from: 0, to: numbers.count, by: 5) { found.append([row + numbers[start]] + numbers[start + 1..<start + 5]) }
      let tokens = try NumPyArray(MappedFile("\(folder)/\(name.replacing(".segments", with: ""))")).count
      #expect(tokens % sequence == 0)
      row += tokens / sequence
    }
    return found
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>) func everyFormatOfRowsKeepsTheirSegments(seed: UInt64) throws {
    try withTemporaryFolder { folder in
      var random = SequentialRandom(seed: seed)
      try writeDataset(folder + "/set", seed: seed)
      let dataset = try TokenDataset(folder + "/set"), rows = Rows(25, sequence: 16, &random)
      func export(_ format: ExportFormat) throws -> String {
        let configuration = TokenExport.Configuration(format: format, shardTokens: 100, sequence: 16)
        let path = "\(folder)/\(format)"
        let account = try TokenExport(configuration, of: dataset).write([("", rows)], to: path, tool: "test")
        #expect(account.isBalanced && account.output == 25)
        #expect(try Verification.check(path, registry: .all).problems.isEmpty)
        return path
      }
      let expected = rows.rows.enumerated().flatMap { row, sample in
        sample.segments.map { [row, $0.start, $0.count, $0.document, $0.offset] }
      }
      let npy = try export(.npy)
      #expect(try Files.entries(of: npy).filter { $0.hasSuffix(".npy") }.count == 8)
      #expect(try segments(of: npy, sequence: 16) == expected)
      let olmo = try export(.olmo)
      var lines: [[String]] = []
      for name in try Files.entries(of: olmo) where name.hasSuffix(".csv.gz") {
        lines += try ExportReaders.lines("\(olmo)/\(name)").map { $0.split(separator: ",").map(String.init) }
      }
      // Each file has 7 rows.
      #expect(
        lines
          == expected.map { segment in
            let start = 16 * (segment[0] % 7) + segment[1]
            return ["\(start)", "\(start + segment[2])", "d\(segment[3])", "in.jsonl", "\(segment[3] + 1)"]
          })
      let samples = try mdsRows(try export(.mds))
      #expect(samples.map(\.lengths) == rows.rows.map { $0.segments.map(\.count) } && samples.map(\.tokens) == rows.rows.map(\.tokens))
    }
  }

  /// The columns doc_lens and tokens of rows.
  private func mdsRows(_ folder: String) throws -> [(lengths: [Int], tokens: [Int32])] {
    try ExportReaders.files(folder, ".mds").flatMap { bytes in
      (0..<ExportReaders.integer(bytes[0..<4])).map { sample in
        let begin = ExportReaders.integer(bytes[(4 + 4 * sample)..<(8 + 4 * sample)])
        let first = ExportReaders.integer(bytes[begin..<begin + 4]), second = ExportReaders.integer(bytes[begin + 4..<begin + 8])
        let lengths = bytes[begin + 8..<begin + 8 + first], tokens = bytes[begin + 8 + first..<begin + 8 + first + second]
        #expect(lengths.first == 4 && tokens.first == 4)
        return (ExportReaders.numbers(lengths.dropFirst(2), width: 4).map { Int($0) }, ExportReaders.numbers(tokens.dropFirst(2), width: 2))
      }
    }
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>) func theSegmentsAreThoseOfTheLoader(seed: UInt64) throws {
    try withTemporaryFolder { folder in
      let dataset = try writeMixture(folder, seed: seed, weights: [0.5, 0, 0.3, 0.2], runTokens: 2_000), sequence = 32
      var configuration = LoaderConfiguration(dataset: dataset.path)
      (configuration.mixture, configuration.rows, configuration.sequence) = (folder + "/mix.json", 1, sequence)
      configuration.randomSeed = seed
      let loader = try configuration.loader(tokens: 90 * sequence - 3)
      let batches = try (0..<90).map { try loader.batch(step: $0) }
      func rows() throws -> MixtureRows {
        try MixtureRows(dataset, mixture: folder + "/mix.json", randomSeed: seed, sequence: sequence, tokens: 90 * sequence - 3)
      }
      let expected = batches.enumerated().flatMap { row, batch in
        batch.segments.map { [row, $0.start, $0.count, $0.document, $0.offset] }
      }
      func export(_ format: ExportFormat, _ source: any ExportSource) throws -> String {
        let configuration = TokenExport.Configuration(format: format, shardTokens: 500, sequence: sequence)
        _ = try TokenExport(configuration, of: dataset).write([("", source)], to: "\(folder)/\(format)", tool: "test")
        return "\(folder)/\(format)"
      }
      let npy = try export(.npy, rows())
      let flat = try Files.entries(of: npy).filter { $0.hasPrefix("part") && !$0.contains("segments") }.flatMap { name in
        let bytes = try Files.read("\(npy)/\(name)")
        return ExportReaders.numbers(bytes[(10 + ExportReaders.integer(bytes[8..<10]))...], width: 2)
      }
      #expect(flat == batches.flatMap(\.tokens))
      #expect(try segments(of: npy, sequence: sequence) == expected)
      // Segments, each with its end: a part that ends with the document has it already.
      let texts = try expected.compactMap { segment -> [Int32]? in
        let tokens = try dataset.tokens(document: segment[3], range: segment[4]..<segment[4] + segment[2]).filter { $0 != 2 }
        return tokens.isEmpty ? nil : tokens
      }
      let megatron = try export(.megatron, try rows().segments(format: .megatron, progress: .silent))
      var sequences: [[Int32]] = []
      for name in try Files.entries(of: megatron) where name.hasSuffix(".bin") {
        let bytes = try Files.read("\(megatron)/\(name)")
        let index = try MegatronIndex(MappedFile("\(megatron)/\(name.dropLast(4)).idx"), dataBytes: bytes.count)
        var start = 0
        for length in index.lengths {
          sequences.append(ExportReaders.numbers(bytes[2 * start..<2 * (start + Int(length))], width: 2))
          start += Int(length)
        }
      }
      #expect(sequences == texts.map { $0 + [2] })
      let llmc = try export(.llmc, try rows().segments(format: .llmc, progress: .silent))
      #expect(try ExportReaders.llmc(llmc, width: 2).flatMap { $0 } == texts.flatMap { [2] + $0 })
      // As documents: what the rows read of each.
      var read = [Int](repeating: 0, count: dataset.documentCount)
      for segment in expected { read[segment[3]] += segment[2] }
      let draw = try rows().draw(progress: .silent)
      #expect(draw.tokens == read && draw.documents == read.indices.filter { read[$0] > 0 })
      let leaves = try dataset.assignment(of: Mixture.read(from: folder + "/mix.json"), file: "mix.json").leaves
      #expect(draw.documents.allSatisfy { dataset.windows(of: $0).contains { leaves[$0] != 1 } })
      // The documents' parts of the groups' passes add up to the run.
      #expect(abs(draw.expected.reduce(0, +) - Double(read.reduce(0, +))) < 0.02 * Double(read.reduce(0, +)))
    }
  }

  @Test func wholeDatasetsBecomeMegatronsToo() throws {
    try withTemporaryFolder { folder in
      for vocabulary in [300, 70_000] {
        try writeDataset(folder + "/set", seed: 5, documents: 40, vocabulary: vocabulary)
        let dataset = try TokenDataset(folder + "/set")
        let source = DocumentSegments(try DocumentInfoReader(dataset), format: .megatron)
        _ = try TokenExport(.init(format: .megatron), of: dataset).write([("", source)], to: folder + "/out", tool: "test")
        var joined: [UInt8] = []
        for shard in 0..<3 { joined += (try? Files.read("\(folder)/set/shard-0000\(shard).bin")) ?? [] }
        #expect(try Files.read(folder + "/out/part-00000.bin").starts(with: joined) && !joined.isEmpty)
        #expect(try Verification.check(folder + "/out", registry: .all).problems.isEmpty)
      }
    }
  }
}
