import ArgumentParser
import Foundation
import Planning
import Primitives
import Storage
import Workflows

/// `weir plan allocate FIT --budget C`.
struct PlanAllocateCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "allocate",
    abstract: "Choose the model size and tokens for a compute budget.",
    discussion: """
      N is the number of non-embedding parameters, D the tokens that the shared trunk is trained on, D′ the tokens of each \
      branch. Compute is 6N(D + ΣD′) FLOPs. The answer gives N, D and every D′, the predicted loss with an interval, and the \
      predicted loss of a single-model baseline of the same compute. --recipe writes it as a recipe for weir run.

      EXAMPLES:
        weir plan allocate out/fit.json --budget 5e15 --dataset out/dataset \\
          --tree out/tree -o out/plan.json --recipe out/plan.yaml
      """)

  @Argument(help: ArgumentHelp("Fit written by weir plan fit.", valueName: "fit"))
  var fit: String

  @Option(help: ArgumentHelp("Compute budget in FLOPs.", valueName: "flops"))
  var budget: Double

  @Option(help: ArgumentHelp("Number of equal domains. (default: the domains of the fit)", valueName: "n"))
  var domains: Int?

  @Option(help: ArgumentHelp("Non-embedding parameters. (default: the best size)", valueName: "n"))
  var size: Amount?

  @Option(help: ArgumentHelp("Law to use. (default: the selected one)", valueName: "name"))
  var law: String?

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output file for the allocation (JSON).", valueName: "file"))
  var output: String

  @Option(help: ArgumentHelp("Output file for the recipe (YAML).", valueName: "file"))
  var recipe: String?

  @Option(help: ArgumentHelp("Token dataset to name in the recipe.", valueName: "folder"))
  var dataset = "dataset"

  @Option(help: ArgumentHelp("Cluster tree to name in the recipe.", valueName: "folder"))
  var tree = "tree"

  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags { ["budget": "--budget", "domains": "--domains", "sizes": "--size", "law": "--law", "fit": fit] }
  var inputs: [String] { [fit] }
  var outputs: [String] { [output, recipe].compactMap { $0 } }

  func validate() throws {
    guard (1...AllocationRequest.mostDomains).contains(domains ?? 1) else {
      throw ValidationError("--domains must be in 1…\(AllocationRequest.mostDomains), not \(domains ?? 0)")
    }
  }

  func perform(_ session: Session) throws -> Outcome {
    let fit = try JSONFile.readSealed(FitReport.self, from: fit)
    let named = AllocationDomain.all(of: fit)
    let sizes = size.map { Sizes.fixed(ModelSize.near(Double($0.value))) } ?? .free
    let request = AllocationRequest(budget: budget, domains: domains.map { AllocationDomain.equal($0) } ?? named, sizes: sizes, law: law)
    let allocation = try Planner.allocate(fit: fit, request: request, threads: session.threads)
    try JSONFile.writeSealed(allocation, to: output)
    if let recipe, allocation.recommended != "none" {
      let text = try PlanRecipe(dataset: dataset, tree: tree, run: output + ".run").yaml(allocation)
      try Files.writeOutput(Array(text.utf8), to: recipe)
    }
    func text(_ candidate: Allocation.Candidate) -> String {
      let interval = candidate.loss.low.flatMap { low in candidate.loss.high.map { String(format: " (%.3f to %.3f)", low, $0) } } ?? ""
      return String(format: "predicted loss %.3f", candidate.loss.value) + interval
    }
    return Outcome(
      report: try JSONValue(encoding: allocation),
      lines: [
        "  split:        N \(Format.short(allocation.size.parameters)), D \(Format.short(Double(allocation.split.d))), D′ \(Format.short(Double(allocation.split.dPrimeTotal))) over \(allocation.split.dPrime.count) domains; \(text(allocation.split))",
        "  single model: N \(Format.short(allocation.fullSize.parameters)), D \(Format.short(Double(allocation.full.d))); \(text(allocation.full))",
        "  recommended: \(allocation.recommended)",
      ] + decision(allocation) + allocation.notes.map { "  note: \($0)" })
  }

  /// How sure the split is, and what it is worth in compute.
  private func decision(_ allocation: Allocation) -> [String] {
    var lines: [String] = []
    if let decision = allocation.decision, let low = decision.dPrime.low, let high = decision.dPrime.high,
      let least = decision.d.low, let most = decision.d.high
    {
      lines.append(
        "  \(Format.percent(allocation.request.level, 0)) interval of the split: D \(Format.short(least)) to \(Format.short(most)), D′ \(Format.short(low)) to \(Format.short(high))"
      )
    }
    if let factor = allocation.equivalentCompute {
      lines.append("  a single model would need \(Format.fixed(factor, 2)) times the compute for the loss of the split")
    }
    return lines
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(memory: 50e6, disk: 1e5) }
}
