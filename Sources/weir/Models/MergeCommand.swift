import ArgumentParser
import Primitives
import Storage
import Training
import Workflows

/// `weir merge A B`: averages the weights of models.
struct MergeCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Average the weights of models, or merge an adapter into one.",
    discussion: """
      The models have one shape and one tokenizer; typically one is finetuned from the other. --weight w gives (1 − w)·A + w·B: 0 \
      is A, 1 is B. For several models, give one weight per model; they are divided by their sum. spherical interpolates along the \
      arc between two models, tensor by tensor, and linearly where tensors are nearly parallel. --adapter instead merges a PEFT \
      adapter into one model. Everything but the weights is \
      that of the first model.

      EXAMPLES:
        weir merge runs/base runs/tuned --weight 0.5 -o merged
        weir merge runs/a runs/b runs/c --weight 2 1 1 -o merged
        weir merge runs/base --adapter runs/tuned/adapter -o merged
      """)

  @Argument(help: ArgumentHelp("Model folders or run folders.", valueName: "model"))
  var models: [String]

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Weight of the second of two models, or one per model. (default: equal)", valueName: "w"))
  var weight: [Double] = []

  @Option(help: "Method: linear, spherical.")
  var method = MergeMethod.linear

  @Option(help: ArgumentHelp("PEFT adapter to merge into the model.", valueName: "folder"))
  var adapter: String?

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Model folder to write.", valueName: "folder"))
  var output: String

  @OptionGroup var common: CommonOptions

  var propertyFlags: PropertyFlags { ["weights": "--weight", "method": "--method", "models": "<model>", "adapter": "--adapter"] }
  var inputs: [String] { models + (adapter.map { [$0] } ?? []) }
  var outputs: [String] { [output] }

  func validate() throws { try usage { _ = try merging.shares() } }

  private var merging: MergeConfiguration {
    var merging = MergeConfiguration(models: models, output: output)
    (merging.method, merging.weights, merging.adapter) = (method, weight, adapter)
    return merging
  }

  func perform(_ session: Session) throws -> Outcome {
    let report = try session.with("merge") { try MergeRun.run(merging, progress: $0) }
    return Outcome(
      report: try JSONValue(encoding: report),
      lines: [
        "  \(output): \(Format.count(report.parameters)) parameters of \(adapter == nil ? "\(models.count) models" : "a model and an adapter")"
      ])
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row {
    let model = try forecast.models[models[0]] ?? ModelFolder.configuration(ModelFolder.locate(models[0]))
    forecast.models[output] = model
    return Forecast.Row(disk: Double(model.parameters * 4))
  }
}

extension MergeMethod: ExpressibleByArgument {}
