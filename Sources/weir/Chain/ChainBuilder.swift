import ArgumentParser
import Pipeline
import Primitives
import Storage

/// A command that is a stage of a chain: alone on a command line, in a shell pipe, or fused with its neighbours in a recipe.
protocol ChainCommand: WeirCommand {
  /// Adds what the command does to a chain under construction.
  func extend(_ chain: inout ChainBuilder) throws
}

extension ChainCommand {
  var writesDataToOutput: Bool { outputs.allSatisfy { $0 == "-" } }

  func perform(_ session: Session) throws -> Outcome {
    try ChainBuilder.fuse([self]).perform(session)
  }
}

/// A chain under construction.
struct ChainBuilder {
  /// The files of the first command.
  var input: InputOptions?
  /// The stages.
  var links: [any ChainLink] = []
  /// Where the last command writes.
  var output: OutputOptions?
  /// What takes the documents at the end, where that is not a document file.
  var end: (any ChainEnd)?
  /// Whether the tokens of the last command but one go into a dataset.
  var endsInDataset = false
  /// The limit of the first command: it is the one that reads what others wrote, as in a shell pipe.
  var maxBad: Double?
  /// Where rejects go.
  var rejects: String?
  /// What stages find beside their accounts.
  let findings = Findings()
  /// What the progress bar is called.
  var label: [String] = []

  /// Puts commands that follow each other into one chain.
  static func fuse(_ commands: [any WeirCommand]) throws -> ChainBuilder {
    var builder = ChainBuilder()
    for (index, command) in commands.enumerated() {
      guard let command = command as? any ChainCommand else {
        throw WeirError(name(command), "cannot stand in a pipe")
      }
      let before = builder
      builder.output = nil
      builder.input = nil
      try command.extend(&builder)
      builder.label.append(name(command))
      if index == 0 { continue }
      guard before.end == nil || builder.endsInDataset, before.output?.output == nil else {
        throw WeirError(name(command), "comes after a stage that writes a file")
      }
      guard builder.input?.paths.isEmpty ?? true else {
        throw WeirError(name(command), "names files, but reads what comes through the pipe", remedy: "name the files in the first command")
      }
      builder.input = before.input
    }
    return builder
  }

  /// What the command is called on a command line.
  static func name(_ command: any WeirCommand) -> String {
    type(of: command).configuration.commandName ?? "command"
  }

  /// Takes the options that commands on streams have in common.
  mutating func add(input: InputOptions, output: OutputOptions?, stream: StreamOptions) throws {
    self.input = input
    self.output = output
    maxBad = maxBad ?? stream.maxBad
    if let file = stream.rejects {
      guard rejects == nil || rejects == file else {
        throw WeirError("--rejects", "a chain has one file for rejects, not \(rejects ?? "") and \(file)")
      }
      rejects = file
    }
  }

  /// Builds the chain and runs it.
  func perform(_ session: Session) throws -> Outcome {
    guard let input else { throw WeirError("pipe", "there is no first command that reads") }
    let chain = Chain(input: input, links: links, end: end ?? DocumentEnd(output: output ?? .standard), rejects: rejects)
    var outcome = Outcome(maxBad: maxBad ?? 1)
    outcome.accounts = try chain.run(session, label: label.joined(separator: " | "))
    for account in outcome.accounts.dropFirst() where account.input > 100 && account.changedNothing {
      outcome.lines.append("  note: \(account.stage) changed nothing in \(Format.count(account.input)) documents")
    }
    outcome.report = try JSONValue(encoding: ["accounts": outcome.accounts])
    findings.tell(&outcome)
    return outcome
  }
}

extension Account {
  /// Whether everything that came in went out.
  fileprivate var changedNothing: Bool { input == output && bytesIn == bytesOut && extra.isEmpty }
}

extension OutputOptions {
  /// Standard output.
  static var standard: OutputOptions {
    var options = OutputOptions()
    options.output = nil
    options.plain = false
    return options
  }
}

extension InputOptions {
  /// The paths, standard input where there are none.
  /// - Throws: where standard input is a terminal: nobody means to type a corpus.
  func resolvedPaths() throws -> [String] {
    if !paths.isEmpty { return paths }
    guard !Terminal.inputIsInteractive else {
      throw ValidationError("Name files or folders, or pipe documents into standard input.")
    }
    return ["-"]
  }

  /// How an error names the input.
  var place: String { paths.isEmpty ? "standard input" : paths.joined(separator: " ") }
}
