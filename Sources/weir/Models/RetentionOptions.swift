import ArgumentParser
import Training
import Workflows

/// Options for the evaluation of finetuning, and for which of its models is kept.
struct RetentionOptions: ParsableArguments {
  static let propertyFlags: PropertyFlags = [
    "retention.budget": "--retain-budget", "retention.interval": "--valid-every", "retention.patience": "--patience",
    "retention.validFraction": "--valid-fraction", "retention.keep": "--keep", "retention.sources": "--source", "lambda": "--lambda",
  ]

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Held-out documents of the target. The first file decides for --keep best and --patience: report another one.", valueName: "file"))
  var valid: [String] = []

  @Option(
    help: ArgumentHelp("Instead of --valid, hold out this fraction of the documents, by a hash of their content.", valueName: "share"))
  var validFraction: Double?

  @Option(
    parsing: .upToNextOption, help: ArgumentHelp("Held-out documents of what the model knew, to measure forgetting.", valueName: "file"))
  var source: [String] = []

  @Option(
    help: ArgumentHelp(
      "Steps between evaluations, or epoch. (default: \(Retention.evaluations) evaluations per run if they decide, else none in between)",
      valueName: "n"))
  var validEvery: Interval?

  @Option(
    help: ArgumentHelp(
      "Keep the last model whose loss on every --source rose by at most this many nats, and stop at the first evaluation beyond.",
      valueName: "nats"))
  var retainBudget: Double?

  @Option(
    help: """
      Model to keep: last; best, with the lowest loss on the first --valid; budget, the last within --retain-budget. (default: \
      budget with --retain-budget, best with --patience, else last)
      """)
  var keep: CheckpointSelection.Rule?

  @Option(help: ArgumentHelp("Stop after this many evaluations in a row without a lower loss on the first --valid.", valueName: "n"))
  var patience: Int?

  /// A number of steps, or `epoch`.
  struct Interval: ExpressibleByArgument {
    var value: Retention.Interval

    init?(argument: String) {
      guard let value: Retention.Interval = argument == "epoch" ? .epoch : Int(argument).map({ .steps($0) }) else { return nil }
      self.value = value
    }
  }

  func validate() throws {
    guard validEvery == nil || !valid.isEmpty || !source.isEmpty || validFraction != nil else {
      throw ValidationError("--valid-every requires --valid, --valid-fraction or --source")
    }
  }

  /// Held-out files.
  var inputs: [String] { valid + source }

  func retention(searchesLambda: Bool = false) -> Retention {
    var retention = Retention()
    (retention.sources, retention.interval, retention.budget) = (source, validEvery?.value, retainBudget)
    (retention.keep, retention.patience, retention.validFraction) = (keep, patience, validFraction)
    retention.searchesLambda = searchesLambda
    return retention
  }
}

/// λ, or `auto` to search it.
enum LambdaChoice: ExpressibleByArgument {
  case value(Double)
  case auto

  init?(argument: String) {
    guard let choice: Self = argument == "auto" ? .auto : Double(argument).map({ .value($0) }) else { return nil }
    self = choice
  }

  /// Where a search starts, if it is `auto`.
  var value: Double? {
    if case .value(let value) = self { value } else { nil }
  }
}

extension CheckpointSelection.Rule: ExpressibleByArgument {}
