import Foundation
import Kernels
import Primitives
import TestSupport
import Testing
import Training

/// muP: initial values as in the table of the paper, and updates that change the output equally at all widths.
@Suite struct ParametrizationTests {
  static func shape(_ width: Int, head: Int = 16, qkNorm: Bool = false) -> ModelConfiguration {
    ModelConfiguration(
      vocabulary: 40, width: width, layers: 2, heads: width / head, ffn: width * 2, sequence: 24, qkNorm: qkNorm)
  }

  @Test(arguments: [false, true]) func initialValuesMatchTheTable(_ qkNorm: Bool) {
    let c = Self.shape(128, head: 64, qkNorm: qkNorm)
    let model = Transformer(c, rows: 1, sequence: 4, training: false, pool: ThreadPool(threads: 2))
    model.initialize(randomSeed: 3, baseWidth: 32, baseHeadWidth: 16)
    for tensor in model.layout.tensors {
      let values = model.parameters[tensor.range].map(Double.init)
      let size = (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
      var expected = tensor.shape.count == 1 ? 1 : tensor.name.contains("embed") ? 0.02 : 1 / Double(tensor.shape[1]).squareRoot()
      if tensor.name.contains("o_proj") || tensor.name.contains("down_proj") { expected /= 2 }
      // Output multiplier base / width; attention scale 1/d, equal to 1/√d at a head width of 16.
      if tensor.name == "model.norm.weight" { expected *= 0.25 }
      if tensor.name.contains(qkNorm ? "q_norm" : "q_proj") { expected *= 0.5 }
      #expect(abs(size / expected - 1) < 0.05, "\(tensor.name): \(size), not \(expected)")
    }
  }

  /// The root mean square change of the logits over a few updates on one batch.
  private func change(_ width: Int, mup: Bool) throws -> Double {
    try withTemporaryFolder { folder in
      let c = Self.shape(width)
      let plan = RecipeTests.plan(4) {
        $0.learningRate = 0.01
        $0.schedule = .constant
        $0.warmup = 0
        $0.clip = 0
        $0.checkpointAt = [0]
        if mup { $0.baseWidth = 32 }
      }
      try RecipeTests.run(folder + "/run", plan, initial: .scratch(c))
      let batch = MostlySame().batch(step: 0)
      let logits = try ["checkpoints/step-00000000", "model"].map { name -> [Float] in
        let parameters = try ModelFolder.load(folder + "/run/" + name).parameters
        let model = Transformer(c, rows: 2, sequence: 24, training: false, pool: ThreadPool(threads: 1), parameters: parameters)
        model.forward(tokens: batch.tokens, starts: batch.starts)
        return (0..<48).flatMap { model.logits(at: $0) }
      }
      let squares = zip(logits[0], logits[1]).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
      return (squares / Double(logits[0].count)).squareRoot()
    }
  }

  @Test func outputChangesDoNotDependOnWidth() throws {
    let narrow = try change(32, mup: true), wide = try change(256, mup: true)
    #expect(try narrow == change(32, mup: false), "at the base, muP is the standard parametrisation")
    let standard = try change(256, mup: false)
    #expect(wide / narrow > 0.5 && wide / narrow < 2, "\(narrow), \(wide)")
    #expect(standard / narrow > 3, "\(narrow), \(standard)")
  }
}
