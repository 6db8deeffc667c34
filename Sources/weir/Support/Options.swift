import ArgumentParser
import Primitives

/// Options of every command.
struct CommonOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Number of threads; results do not depend on it.", valueName: "n"))
  var threads = OpenMPI.threadsPerRank

  @Flag(help: "Print errors only: no progress and no summary.")
  var quiet = false

  @Flag(help: "Print a report as JSON to standard output; no effect if the command writes data there.")
  var json = false

  func validate() throws {
    guard threads >= 1 && threads <= 1024 else { throw ValidationError("--threads must be 1…1024, not \(threads)") }
  }
}

/// The option of commands that use randomness.
struct SeedOption: ParsableArguments {
  @Option(help: ArgumentHelp("Random seed.", valueName: "n"))
  var seed: UInt64 = 1
}

/// The option of commands that give text to a model.
struct SpecialTokensOption: ParsableArguments {
  @Flag(inversion: .prefixedNo, help: "Add special tokens around each text, such as a beginning of text, as transformers does.")
  var addSpecial = true

  @Flag(help: "Encode special tokens in a text, such as chat markers, as their ids instead of as plain text.")
  var allowSpecial = false
}

/// Options of commands that read documents.
struct InputOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "JSON Lines (.gz, .zst), Parquet or text files, folders, globs or s3:// addresses; - is standard input, the default in a pipe.",
      valueName: "path"))
  var paths: [String] = []

  @Option(help: ArgumentHelp("Member that holds the text.", valueName: "name"))
  var textField = "text"

  @Option(help: ArgumentHelp("Member that holds the id; a missing id is made from the content.", valueName: "name"))
  var idField = "id"

  @Option(help: ArgumentHelp("Quarantine lines and text files of more bytes than this, such as 100M.", valueName: "bytes"))
  var maxDocument = Amount(1 << 30)

  func validate() throws {
    guard (1...1 << 32).contains(maxDocument.value) else {
      throw ValidationError("--max-document must be 1…4G bytes, not \(maxDocument.value)")
    }
  }
}

/// Options of commands that process records one by one.
struct StreamOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Exit with code 2 if a larger fraction of the records is quarantined.", valueName: "share"))
  var maxBad = 0.001

  @Option(help: ArgumentHelp("Write dropped and quarantined records with their reasons to a file (JSON Lines).", valueName: "file"))
  var rejects: String?

  func validate() throws {
    guard (0...1).contains(maxBad) else { throw ValidationError("--max-bad must be a fraction, 0…1, not \(maxBad)") }
  }
}

/// Options of commands that write documents.
struct OutputOptions: ParsableArguments {
  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp("Output file (.jsonl or .jsonl.zst) instead of standard output.", valueName: "file"))
  var output: String?

  @Flag(help: "Write plain JSON Lines without an end marker; the default on a terminal.")
  var plain = false
}

/// A number of tokens or bytes, such as `1500000`, `1.5M` or `2G`; suffixes are decimal.
struct Amount: ExpressibleByArgument, Sendable, Equatable {
  var value: Int

  init(_ value: Int) { self.value = value }

  init?(argument: String) {
    guard let amount = Format.amount(argument, below: 9e18) else { return nil }
    value = amount
  }

  var defaultValueDescription: String { String(value) }
}
