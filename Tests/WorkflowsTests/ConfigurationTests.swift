import Foundation
import Primitives
import Storage
import TestSupport
import Testing
import Training
import Workflows

/// Errors name properties, never flags.
@Suite struct ConfigurationTests {
  private func place(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch {
      return (error as? WeirError)?.place
    }
  }

  @Test func samplesNeedWhatTheirMethodNeeds() {
    var sample = SampleConfiguration(dataset: "set")
    #expect(place { try sample.validate() } == "specialist")
    sample.specialist = ["seed.jsonl"]
    #expect(place { try sample.validate() } == "tree")
    sample.tree = "tree"
    #expect(place { try sample.validate() } == nil)
    for (property, change) in [
      ("keep", { $0.keep = 0.5 }), ("bootstrap", { $0.bootstrap = -1 }), ("proxySteps", { $0.proxySteps = 0 }),
      ("weightRate", { $0.weightRate = .nan }), ("scoreTokens", { $0.scoreTokens = 1 }),
      ("specialistWeights", { $0.specialistWeights = [1, 2] }),
      ("specialistWeights", { $0.specialistWeights = [0] }), ("depth", { $0.mixture.depth = -1 }),
      ("smoothing", { $0.mixture.smoothing = -1 }),
      ("maxEpochs", { $0.mixture.maxEpochs = 0 }), ("runTokens", { $0.mixture.runTokens = 0 }), ("proxyModel", { $0.method = .doge }),
      ("proxyModel", { $0.method = .ced }),
    ] as [(String, (inout SampleConfiguration) -> Void)] {
      var changed = sample
      change(&changed)
      #expect(place { try changed.validate() } == property)
    }
    sample.method = .dsir
    sample.choosesDepth = true
    #expect(place { try sample.validateUse() } == "depth")
    sample.choosesDepth = false
    sample.keep = 1.5
    #expect(place { try sample.validateUse() } == "keep")
    sample.keep = 0.5
    sample.specialistWeights = [1]
    #expect(place { try sample.validateUse() } == "specialistWeights")
    sample.method = .ced
    (sample.specialistWeights, sample.proxyModel) = (nil, "run")
    #expect(place { try sample.validateUse() } == "specialistModel")
    for method in SampleConfiguration.Method.allCases { #expect(!(method.needsTree && method.scoresWindows)) }
  }

  @Test func heldOutSetsHaveDistinctNames() throws {
    for (files, names) in [
      (["data/held.jsonl"], ["held"]), (["wiki.en.jsonl", "wiki.de.jsonl"], ["wiki.en", "wiki.de"]),
      (["a.b.jsonl.zst", "a.c.txt.GZ"], ["a.b", "a.c"]),
      (["v1/test.jsonl", "v2/test.jsonl", "other.jsonl"], ["v1/test", "v2/test", "other"]),
      (["x/a/t.jsonl", "y/a/t.jsonl", "y/b/t.jsonl"], ["x/a/t", "y/a/t", "b/t"]), ([".jsonl", "v.1/"], [".jsonl", "v.1"]),
      (["./t.jsonl", "u/t.jsonl"], ["./t", "u/t"]),
    ] { #expect(try ValidationSet.distinctNames(files) == names) }
    for files in [["a.jsonl", "a.jsonl"], ["a.jsonl", "a.jsonl.zst"], ["v/a.txt", "v/a.jsonl"]] {
      #expect(place { _ = try ValidationSet.distinctNames(files) } == files[0])
    }
  }

  @Test func splitsCountTheirBranches() throws {
    var split = SplitConfiguration(dataset: "set", tree: "tree", output: "split", trunk: .model("run"), branchTokens: [100])
    try split.validate()
    #expect(try split.branches(3) == [100, 100, 100])
    split.branchTokens = [1, 2]
    #expect(try split.branches(2) == [1, 2])
    #expect(place { _ = try split.branches(3) } == "branchTokens")
    split.branchTokens = [0]
    #expect(place { try split.validate() } == "branchTokens")
    split.branchTokens = []
    #expect(place { try split.validate() } == "branchTokens")
    split.branchTokens = [1]
    split.level = 0
    #expect(place { try split.validate() } == "level")
    split = SplitConfiguration(
      dataset: "set", tree: "tree", output: "split", trunk: .scratch(ModelShape(), tokens: 0), branchTokens: [100])
    #expect(place { try split.validate() } == "trunkTokens")
  }

  @Test func sweepsRunAtAConstantRate() throws {
    var sweep = SweepConfiguration(
      dataset: "set", tree: "tree", sizes: [.init(width: 32, layers: 2)], trunkTokens: [10, 20], branchTokens: [5],
      runs: "sweep", output: "runs.jsonl")
    try sweep.validate()
    sweep.settings.training.learningRate = 0.5
    let training = sweep.training(tokens: 20)
    #expect(training.schedule == .constant && training.tokens == 20 && training.learningRate == 0.5)
    #expect(sweep.sizes[0].name == "32x2")
    for (property, change) in [
      ("sizes", { $0.sizes = [] }), ("sizes", { $0.sizes[0].layers = 0 }), ("trunkTokens", { $0.trunkTokens = [10, 0] }),
      ("branchTokens", { $0.branchTokens = [] }), ("level", { $0.level = 0 }), ("domains", { $0.domains = 0 }),
      ("warmup", { ($0.settings.training.warmup, $0.settings.training.decay) = (0.5, 0.8) }),
    ] as [(String, (inout SweepConfiguration) -> Void)] {
      var changed = sweep
      change(&changed)
      #expect(place { try changed.validate() } == property)
    }
  }

  @Test func evaluationsNeedData() {
    var evaluation = EvaluationConfiguration(model: "run")
    #expect(place { try evaluation.validate() } == "data")
    evaluation.choices = ["q.jsonl"]
    #expect(place { try evaluation.validate() } == nil)
    evaluation.tree = "tree"
    #expect(place { try evaluation.validate() } == "tree")
    (evaluation.tree, evaluation.logits) = (nil, "logits")
    #expect(place { try evaluation.validate() } == "logits")
    (evaluation.logits, evaluation.choices, evaluation.data, evaluation.choiceScores) = (nil, [], ["held.jsonl"], "scores")
    #expect(place { try evaluation.validate() } == "choiceScores")
    (evaluation.choiceScores, evaluation.level) = (nil, 0)
    #expect(place { try evaluation.validate() } == "level")
  }

  @Test func shapesFollowPresetAndWidth() throws {
    var shape = ModelShape(width: 96, layers: 3)
    let model = try shape.configuration(vocabulary: 100, sequence: 64)
    #expect(model.width == 96 && model.layers == 3 && model.heads == 3 && model.ffn == 256 && model.sequence == 64 && !model.qkNorm)
    shape = ModelShape()
    shape.preset = "nano"
    let nano = try shape.configuration(vocabulary: 100, sequence: 64)
    shape.layers = nano.layers + 1
    shape.qkNorm = true
    let deeper = try shape.configuration(vocabulary: 100, sequence: 64)
    #expect(deeper.layers == nano.layers + 1 && deeper.width == nano.width && deeper.qkNorm)
    shape.preset = "huge"
    #expect(throws: WeirError.self) { try shape.configuration(vocabulary: 100, sequence: 64) }
    #expect(place { _ = try ModelShape(width: 1_000_000_000, layers: 1).configuration(vocabulary: 100, sequence: 64) } == "width")
    #expect(place { _ = try ModelShape(width: 32, layers: 0).configuration(vocabulary: 100, sequence: 64) } == "layers")
    #expect(place { _ = try ModelShape(width: 33, layers: 1).configuration(vocabulary: 100, sequence: 64) } == "modelConfiguration")
  }

  @Test func configurationsSurviveJSON() throws {
    var sample = SampleConfiguration(dataset: "set", method: .doge)
    sample.mixture.depth = 2
    let again = try JSONFile.decode(SampleConfiguration.self, from: JSONFile.encode(sample), place: "sample")
    #expect(again.mixture.depth == 2 && again.method == .doge && again.bootstrap == 200)
    let split = SplitConfiguration(
      dataset: "set", tree: "tree", output: "split", trunk: .scratch(ModelShape(width: 32, layers: 1), tokens: 7), branchTokens: [1])
    let copy = try JSONFile.decode(SplitConfiguration.self, from: JSONFile.encode(split), place: "split")
    guard case .scratch(let shape, 7) = copy.trunk else {
      Issue.record("another trunk")
      return
    }
    #expect(shape == ModelShape(width: 32, layers: 1))
  }
}
