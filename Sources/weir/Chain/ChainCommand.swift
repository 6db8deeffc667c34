/// A command that can be part of a pipe: alone on a command line, in a shell pipe, or in one process with its neighbors in a recipe.
protocol ChainCommand: WeirCommand {
  /// Adds what the command does to a chain.
  func extend(_ chain: inout ChainBuilder) throws
}

extension ChainCommand {
  var writesDataToOutput: Bool { outputs.allSatisfy { $0 == "-" } }

  func perform(_ session: Session) throws -> Outcome { try ChainBuilder([self]).perform(session) }
}
