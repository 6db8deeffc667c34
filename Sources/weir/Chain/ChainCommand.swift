import Workflows

/// A command that can be part of a pipe: alone on a command line, in a shell pipe, or in one process with its neighbors in a recipe.
protocol ChainCommand: WeirCommand {
  /// Adds what the command does to a chain.
  func extend(_ chain: inout ChainBuilder) throws
}

extension ChainCommand {
  var writesDataToOutput: Bool { outputs.allSatisfy { $0 == "-" } }

  func perform(_ session: Session) throws -> Outcome { try ChainBuilder([self]).perform(session) }
}

/// A command that turns documents into documents.
protocol DocumentCommand: ChainCommand {
  var input: InputOptions { get }
  var output: OutputOptions { get }
}

extension DocumentCommand {
  var inputs: [String] { input.paths }
  var outputs: [String] { output.output.map { [$0] } ?? [] }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { try forecast.documents(input, output: output) }
}

/// A command that uses randomness.
protocol SeededCommand: WeirCommand { var seed: SeedOption { get } }

extension SeededCommand {
  var randomSeed: UInt64? { seed.seed }
}
