import ArgumentParser
import Workflows

/// Options for text of the original domain that is mixed into the batches of finetuning.
struct ReplayOptions: ParsableArguments {
  static let propertyFlags: PropertyFlags = [
    "replay": "--replay", "replay.generations": "--self-replay", "replayShare": "--replay-share",
  ]

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Replay: a token dataset, or documents, of the original domain, mixed into the batches.", valueName: "data"))
  var replay: [String] = []

  @Option(
    help: ArgumentHelp("Self-replay: instead, this many context-free generations of the initial model.", valueName: "n"))
  var selfReplay: Int?

  @Option(help: ArgumentHelp("Fraction of the rows that are replayed. (default: 0.01)", valueName: "share"))
  var replayShare: Double?

  func validate() throws {
    guard replay.isEmpty || selfReplay == nil else { throw ValidationError("--replay cannot be combined with --self-replay") }
    guard replayShare == nil || !replay.isEmpty || selfReplay != nil else {
      throw ValidationError("--replay-share requires --replay or --self-replay")
    }
  }

  var configuration: FinetuneConfiguration.Replay {
    var configuration = FinetuneConfiguration.Replay()
    (configuration.data, configuration.generations) = (replay, selfReplay)
    configuration.share = replayShare ?? configuration.share
    return configuration
  }
}
