import Artifacts
import Clustering
import Documents
import Embedding
import Foundation
import Kernels
import Loading
import Pipeline
import Planning
import Primitives
import Sampling
import Storage
import Synchronization
import TestSupport
import Testing
import Tokenization
import Tokens
import Training
import Workflows

/// A small corpus of two domains with everything that is made from it, and a model.
struct World {
  let folder: String
  var dataset: String { folder + "/set" }
  var tree: String { folder + "/tree" }
  var seed: String { folder + "/seed.jsonl" }
  var heldOut: String { folder + "/held.jsonl" }
  var model: String { folder + "/run" }

  /// Lines of JSON: the domains take turns.
  static func documents(_ count: Int, words: Int, randomSeed: UInt64, domains: ClosedRange<Int> = 0...1) -> [Document] {
    let vocabularies = [
      ["star", "galaxy", "telescope", "orbit", "light", "planet", "comet", "nebula"],
      ["bread", "flour", "butter", "oven", "salt", "sugar", "yeast", "dough"],
    ]
    var random = SequentialRandom(seed: randomSeed, stream: 1)
    return (0..<count).map { index in
      let domain = domains.lowerBound + index % domains.count
      let text = (0..<words).map { _ in vocabularies[domain].randomElement(using: &random) ?? "" }.joined(separator: " ")
      return Document(id: "d\(index)", text: text + " é.", source: ["stars", "food"][domain])
    }
  }

  private static func write(_ documents: [Document], to path: String) throws {
    let lines = documents.map {
      #"{"id":"\#($0.id)","text":"\#(String(decoding: $0.text, as: UTF8.self))","source":"\#($0.source ?? "")"}"#
    }
    try Files.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: path)
  }

  init(_ folder: String) throws {
    self.folder = folder
    let documents = Self.documents(60, words: 60, randomSeed: 1), pool = ThreadPool(threads: 2)
    try Self.write(Self.documents(40, words: 60, randomSeed: 2, domains: 0...0), to: folder + "/seed.jsonl")
    try Self.write(Self.documents(8, words: 30, randomSeed: 3), to: folder + "/held.jsonl")
    var configuration = BytePairTrainer.Configuration()
    configuration.vocabulary = 300
    var trainer = try BytePairTrainer(configuration)
    for document in documents { trainer.add(document.text) }
    let tokenizer = try trainer.finish()
    try Files.createFolder(folder + "/tok")
    try tokenizer.writeFiles(in: folder + "/tok")
    let end = Int(try #require(tokenizer.endOfDocument))
    let writer = try TokenDatasetWriter(
      folder + "/set", tokenizer: tokenizer.fingerprint, tokenizerFile: Files.read(folder + "/tok/tokenizer.json"),
      vocabulary: tokenizer.vocabularySize, endOfDocument: end)
    var encoder = DocumentEncoder(tokenizer)
    try writer.append(
      documents.map { document in
        TokenDocument(
          id: document.id, source: document.source, origin: "docs.jsonl", bytes: document.text.count,
          tokens: Array(encoder.encode(document).tokens.dropLast()))
      })
    _ = try writer.commit(tool: "test")
    let dataset = try TokenDataset(folder + "/set")
    var lsi = LSIEmbedder.Configuration()
    lsi.dimensions = 8
    let embedder = try EmbedderModel("lsi").embedder(
      for: dataset, lsi: lsi, encoder: TextEmbedder.Configuration(), dimensions: 8, pool: pool)
    _ = try EmbedDataset.run(dataset, embedder: embedder, to: dataset.folder.vectors("lsi"), tool: "test", pool: pool)
    var fit = TreeFit.Configuration()
    (fit.arity, fit.minimumLeaf) = (2, 4)
    let vectors = try dataset.vectors()
    let tree = try ClusterDataset.fit(vectors, to: folder + "/tree", configuration: fit, tool: "test", pool: pool)
    _ = try ClusterDataset.assign(vectors, tree: tree, pool: pool).write(
      to: dataset.folder.assignment(tree: folder + "/tree"), tool: "test")
    _ = try PretrainRun.run(pretraining, threads: 2)
  }

  var pretraining: PretrainConfiguration {
    var configuration = PretrainConfiguration(dataset: dataset, output: model)
    configuration.shape = ModelShape(width: 32, layers: 1)
    configuration.settings = settings
    configuration.settings.training.tokens = 128
    return configuration
  }

  /// Small batches.
  var settings: TrainingSettings {
    var settings = TrainingSettings()
    settings.training.randomSeed = 1
    (settings.rows, settings.sequence, settings.heldOut) = (2, 32, [heldOut])
    return settings
  }

  /// The names of all files.
  var files: Set<String> { Set((try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []) }
}

func withWorld<R>(_ body: (World) throws -> R) throws -> R { try withTemporaryFolder { try body(World($0)) } }

private func decoded<T: Codable>(_ value: T) throws -> T { try JSONFile.decode(T.self, from: JSONFile.encode(value), place: "report") }

@Suite struct RunTests {
  @Test func samples() throws {
    try withWorld { world in
      var sample = SampleConfiguration(dataset: world.dataset)
      (sample.tree, sample.specialist, sample.choosesDepth, sample.bootstrap) = (world.tree, [world.seed], true, 5)
      sample.describesClusters = true
      let before = world.files
      let dry = try SampleRun.run(sample, threads: 2, tool: "test")
      #expect(world.files == before, "nothing is written without an output")
      sample.output = world.folder + "/mix.json"
      let made = try SampleRun.run(sample, threads: 1, tool: "test")
      #expect(made.mixture == dry.mixture && made.depths?.count == 2 && !made.terms.isEmpty)
      #expect(try Mixture.read(from: world.folder + "/mix.json") == made.mixture)
      #expect(made.kept == nil)
      // The seed is of one domain: its cluster gets nearly everything.
      #expect(made.mixture.clusters.map(\.weight).max() ?? 0 > 0.9)
      // Scores are kept for other thresholds.
      sample = SampleConfiguration(dataset: world.dataset, method: .dsir)
      (sample.specialist, sample.minimumWords, sample.keep, sample.tree) = ([world.seed], 10, 0.2, world.tree)
      sample.output = world.folder + "/few.json"
      let few = try SampleRun.run(sample, threads: 2, tool: "test")
      sample.keep = 0.5
      sample.output = world.folder + "/many.json"
      let many = try SampleRun.run(sample, threads: 2, tool: "test")
      #expect(few.reusedScores == nil && many.reusedScores != nil && few.scores == many.scores)
      let kept = try #require(few.kept), more = try #require(many.kept)
      #expect(kept.tokens < more.tokens && few.keptByLeaf?.reduce(0, +) == kept.tokens)
      var data = LoaderConfiguration(dataset: world.dataset)
      (data.mixture, data.rows, data.sequence) = (world.folder + "/few.json", 4, 32)
      let loader = try data.loader(tokens: nil)
      #expect(try loader.batch(step: 0).targetCount > 0)
    }
  }

  @Test func trainsFinetunesAndEvaluates() throws {
    try withWorld { world in
      let report = try PretrainRun.run(world.pretraining, threads: 1)
      #expect(report.training.tokens == 128 && report.curve.count == report.training.steps && report.finetuning == nil)
      #expect(try decoded(report) == report)
      var finetuning = FinetuneConfiguration(model: world.model, data: [world.seed], output: world.folder + "/tuned")
      (finetuning.settings, finetuning.epochs, finetuning.strategy.lambda) = (world.settings, 1, 0.5)
      let tuned = try FinetuneRun.run(finetuning, threads: 2)
      #expect(tuned.finetuning?.method == "anneal" && tuned.finetuning?.lambda == 0.5 && tuned.training.final.count == 1)
      #expect(try decoded(tuned) == tuned)
      var evaluation = EvaluationConfiguration(model: world.model)
      (evaluation.data, evaluation.tree) = ([world.heldOut], world.tree)
      try Files.write(Array("{\"question\":\"star\",\"choices\":[\"light\",\"dough\"],\"answer\":0}\n".utf8), to: world.folder + "/q.jsonl")
      evaluation.choices = [world.folder + "/q.jsonl"]
      let result = try EvaluationRun.run(evaluation, threads: 2)
      #expect(result.documents?.byDomain?.count == 2 && result.choices?.first?.questions == 1)
      let clusters = try #require(result.documents?.byCluster)
      #expect(clusters.values.reduce(0) { $0 + $1.tokens } == result.documents?.tokens)
      evaluation.data = []
      evaluation.tree = nil
      let choices = try EvaluationRun.run(evaluation, threads: 1)
      #expect(choices.documents == nil && choices.choices == result.choices)
      let generation = try TextGeneration(model: world.model, threads: 1)
      var text = ""
      try generation.run(prompt: Array("star".utf8), tokens: 5, decoding: .init(), write: { text += $0 })
      #expect(!text.isEmpty)
    }
  }

  @Test func splits() throws {
    try withWorld { world in
      var split = SplitConfiguration(
        dataset: world.dataset, tree: world.tree, output: world.folder + "/split",
        trunk: .scratch(ModelShape(width: 32, layers: 1), tokens: 128), branchTokens: [64])
      split.settings = world.settings
      let phases = Mutex<Set<String>>([])
      let progress = Progress(report: { event in phases.withLock { _ = $0.insert(event.phase) } })
      let result = try SplitRun.run(split, threads: 2, progress: progress)
      let report = try #require(result.report)
      #expect(result.branches == 2 && report.byDomain.count == 2 && report.meanPerplexity.keys.sorted() == ["full", "split"])
      #expect(try decoded(report) == report)
      #expect(phases.withLock { $0.isSuperset(of: ["trunk", "branch-0", "branch-1", "full", "eval"]) })
      let file = try SplitFile.open(split.output)
      #expect(file.trunkTokens == 128 && file.branchTokens == [64, 64] && file.terms.count == 2)
      #expect(try SplitEvaluation.run(split.output, data: [world.heldOut], threads: 1) == report)
      #expect(throws: WeirError.self) { try SplitEvaluation.run(world.model, data: [world.heldOut], threads: 1) }
      // Of a model that exists, without a full one.
      split.output = world.folder + "/continued"
      (split.trunk, split.full, split.settings.heldOut) = (.model(world.model), false, [])
      #expect(try SplitRun.run(split, threads: 2).report == nil)
      #expect(try SplitFile.open(split.output).full == nil)
    }
  }

  @Test func sweeps() throws {
    try withWorld { world in
      var sweep = SweepConfiguration(
        dataset: world.dataset, tree: world.tree, sizes: [.init(width: 32, layers: 1)], trunkTokens: [64, 128], branchTokens: [64],
        runs: world.folder + "/sweep", output: world.folder + "/runs.jsonl")
      sweep.settings = world.settings
      let report = try SweepRun.run(sweep, threads: 2)
      // Two D, each with D′ of 0 and 64, in two domains.
      #expect(report.runs == 8 && report.domains == 2)
      let runs = try RunTable.read(sweep.output).runs
      #expect(runs.count == 8 && Set(runs.map(\.dPrime)) == [0, 64] && runs.allSatisfy { $0.loss > 0 })
      sweep.domains = 1
      sweep.output = world.folder + "/one.jsonl"
      #expect(try SweepRun.run(sweep, threads: 1).runs == 4)
    }
  }

  @Test func ranksShareBatchesThatAreTraced() throws {
    try withWorld { world in
      let dataset = try TokenDataset(world.dataset), pool = ThreadPool(threads: 2)
      var data = LoaderConfiguration(dataset: world.dataset)
      (data.rows, data.sequence) = (4, 32)
      let loader = try data.loader(tokens: nil)
      func tokens(_ rank: Int, of world: Int) throws -> [UInt8] {
        var found: [UInt8] = []
        let feed = try BatchFeed(loader: loader, rank: rank, world: world, fromPosition: 4, steps: 2)
        let end = try feed.batches(pool: pool, isStopping: { false }) { if $0 == 0 { found += $1 } }
        #expect(end.steps == 2 && end.rows == 2 * feed.rows)
        return found
      }
      let whole = try tokens(0, of: 1), parts = try [tokens(0, of: 2), tokens(1, of: 2)]
      let row = 4 * 32
      #expect(whole.count == 2 * 4 * row && whole.prefix(row) == parts[0].prefix(row))
      #expect(whole[row..<2 * row] == parts[1].prefix(row) && parts.map(\.count) == [whole.count / 2, whole.count / 2])
      // Where the ranks do not divide the rows, the first ones have one more.
      #expect(try (0..<3).map { try tokens($0, of: 3).count / row }.reduce(0, +) == whole.count / row)
      #expect(throws: WeirError.self) { try BatchFeed(loader: loader, rank: 0, world: 5, fromPosition: 0, steps: 1) }
      #expect(throws: WeirError.self) { try BatchFeed(loader: loader, rank: 2, world: 2, fromPosition: 0, steps: 1) }
      let trace = try BatchTrace(run: world.model, dataset: world.dataset)
      let segments = try trace.segments(step: 0)
      #expect(segments.reduce(0) { $0 + $1.count } == 2 * 32 && segments.allSatisfy { $0.origin == "docs.jsonl" })
      // A document is found again where its batches show it.
      let steps = try #require(trace.steps), all = try (0..<steps).flatMap { try trace.segments(step: $0) }
      for id in Set(all.map(\.id)).sorted().prefix(5) {
        #expect(try trace.segments(id: id, steps: 0..<steps) == all.filter { $0.id == id })
      }
      #expect(throws: WeirError.self) { try trace.segments(id: "nobody", steps: 0..<steps) }
      #expect(throws: WeirError.self) { try BatchTrace(run: world.folder, dataset: world.dataset) }
      #expect(dataset.documentCount > 0)
    }
  }
}
