import ArgumentParser
import Foundation
import Primitives

/// What every command takes.
struct CommonOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Threads to work on; the result does not depend on it.", valueName: "n"))
  var threads = Job.threads

  @Flag(help: "No progress and no account on standard error; errors still.")
  var quiet = false

  @Flag(help: "A machine-readable report on standard output, where that is not taken by data.")
  var json = false

  func validate() throws {
    guard threads >= 1 && threads <= 1024 else { throw ValidationError("--threads must be 1…1024, not \(threads)") }
  }
}

/// What every command takes that draws.
struct SeedOption: ParsableArguments {
  @Option(help: ArgumentHelp("Seed of everything that is drawn.", valueName: "n"))
  var seed: UInt64 = 1
}

/// What every command takes that reads documents.
struct InputOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("JSONL(.gz/.zst) or text files, folders, - for standard input (the default in a pipe).", valueName: "path"))
  var paths: [String] = []

  @Option(help: ArgumentHelp("The member that holds the text.", valueName: "name"))
  var textField = "text"

  @Option(help: ArgumentHelp("The member that holds the id; made from the content where missing.", valueName: "name"))
  var idField = "id"

  @Option(help: ArgumentHelp("Bytes of a line or text file above which it is quarantined unread, such as 100M.", valueName: "bytes"))
  var maxDocument = Amount(1 << 30)

  func validate() throws {
    guard (1...1 << 32).contains(maxDocument.value) else {
      throw ValidationError("--max-document must be 1…4G bytes, not \(maxDocument.value)")
    }
  }
}

/// What every command takes that passes records on.
struct StreamOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Largest share of quarantined records; above it the exit code is 2.", valueName: "share"))
  var maxBad = 0.001

  @Option(help: ArgumentHelp("Where dropped and quarantined records go, with their reasons (JSON Lines).", valueName: "file"))
  var rejects: String?

  func validate() throws {
    guard (0...1).contains(maxBad) else { throw ValidationError("--max-bad must be a share, 0…1, not \(maxBad)") }
  }
}

/// What every command takes that writes documents to standard output.
struct OutputOptions: ParsableArguments {
  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp("Write to a file (.jsonl or .jsonl.zst) instead of standard output.", valueName: "file"))
  var output: String?

  @Flag(help: "Plain JSON Lines on standard output, without the stream's proof of completeness (the default on a terminal).")
  var plain = false
}

/// A number of tokens: `1500000`, `1.5M`, `2G`.
struct Amount: ExpressibleByArgument, Sendable, Equatable {
  var value: Int

  init(_ value: Int) { self.value = value }

  init?(argument: String) {
    let scales: [Character: Double] = ["k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12]
    var text = Substring(argument)
    var scale = 1.0
    if let last = text.last, let found = scales[last] {
      scale = found
      text = text.dropLast()
    }
    guard let number = Double(text), number.isFinite, number >= 0, number * scale < 9e18 else { return nil }
    value = Int((number * scale).rounded())
  }

  var defaultValueDescription: String { String(value) }
}
