import ArgumentParser
import Foundation
import Pipeline
import Primitives
import Reporting
import Storage

/// Runs a recipe: skips what is done, goes on where it was, says what each step does and why.
struct RecipeRun {
  let recipe: Recipe
  let path: String
  let session: Session

  /// A step ready to run.
  struct Prepared {
    var step: Recipe.Step
    var commands: [any WeirCommand]
    var line: String

    /// What the step reads, what itself makes left out.
    var inputs: [String] { commands.flatMap { $0.inputs }.filter { !outputs.contains($0) } }
    var outputs: [String] { commands.flatMap { $0.outputs } }
  }

  /// Parses every command before anything runs, so that a slip in the last step is found in the first second.
  func prepare() throws -> [Prepared] {
    try recipe.steps.map { step in
      let words = try recipe.commands(of: step, path: path)
      let commands = try words.map { words -> any WeirCommand in
        do {
          guard let command = try Weir.parseAsRoot(RenamedOptions.resolve(words)) as? any WeirCommand else {
            throw WeirError(path, "step \(step.name): \"\(words.joined(separator: " "))\" is not a command that a recipe can run")
          }
          return command
        } catch let error as WeirError {
          throw error
        } catch {
          throw WeirError(path, "step \(step.name): \(words.joined(separator: " ")): \(Weir.message(for: error))")
        }
      }
      if commands.count > 1 {
        for command in commands where !(command is any ChainCommand) {
          throw WeirError(path, "step \(step.name): \(type(of: command).configuration.commandName ?? "") cannot stand in a pipe")
        }
      }
      return Prepared(step: step, commands: commands, line: words.map { $0.joined(separator: " ") }.joined(separator: " | "))
    }
  }

  /// Runs all steps.
  func run() throws -> Outcome {
    let steps = try prepare()
    try Files.createFolder(recipe.run + "/steps")
    if (try? JSONFile.read(Recipe.self, from: recipe.run + "/recipe.json")) != recipe {
      try JSONFile.write(recipe, to: recipe.run + "/recipe.json")
    }
    var outcome = Outcome()
    var ran = 0
    let start = ContinuousClock.now
    for (index, prepared) in steps.enumerated() {
      if Interrupt.isRequested { throw Stopped() }
      let statePath = "\(recipe.run)/steps/\(prepared.step.name).json"
      let key = try self.key(of: prepared)
      if let state = StepState.read(statePath), state.key == key, try isWhole(state) {
        outcome.accounts += state.accounts
        continue
      }
      ran += 1
      session.say("[\(index + 1)/\(steps.count)] \(prepared.step.says)")
      session.say("    weir \(prepared.line)")
      let state = try perform(prepared, key: key, statePath: statePath)
      outcome.accounts += state.accounts
    }
    if ran == 0 {
      outcome.lines.append("everything is up to date: \(steps.count) steps in \(recipe.run)")
    } else {
      outcome.lines.append(
        "\(ran) of \(steps.count) steps run in \(Format.duration((ContinuousClock.now - start).seconds)), \(steps.count - ran) up to date")
    }
    // What the run came to, and where to read it.
    if let report = steps.last.flatMap({ StepState.read("\(recipe.run)/steps/\($0.step.name).json") })?.report["page"],
      case .string(let page) = report, let summary = try? RunSummary.read(recipe.run)
    {
      outcome.lines += SummaryTable.lines(summary) + ["report: \(page)"]
    }
    return outcome
  }

  private func perform(_ prepared: Prepared, key: String, statePath: String) throws -> StepState {
    let start = ContinuousClock.now
    let attemptPath = statePath + ".attempts"
    // Seconds of earlier attempts at the same work, so that an interrupted run reports what it really took.
    let earlier = (try? JSONFile.read([String: Double].self, from: attemptPath))?[key] ?? 0
    let result: Outcome
    do {
      result =
        try prepared.commands.count == 1 ? prepared.commands[0].perform(session) : ChainBuilder.fuse(prepared.commands).perform(session)
    } catch {
      try? JSONFile.write([key: earlier + (ContinuousClock.now - start).seconds], to: attemptPath)
      throw error
    }
    if let complaint = result.complaint {
      throw WeirError("step \(prepared.step.name)", complaint, remedy: "look at them with --rejects FILE")
    }
    let seconds = earlier + (ContinuousClock.now - start).seconds
    for account in result.accounts { session.say(account.line) }
    for line in result.lines { session.say(line) }
    var outputs: [String: String] = [:]
    for output in prepared.outputs { outputs[output] = try Fingerprint.of(output) }
    let state = StepState(
      key: key, command: prepared.line, seconds: seconds, bytes: prepared.outputs.reduce(0) { $0 + Fingerprint.bytes($1) },
      outputs: outputs, accounts: result.accounts, report: result.report)
    try JSONFile.write(state, to: statePath)
    try? Files.remove(attemptPath)
    session.say("    \(Format.duration(seconds)), \(Format.bytes(state.bytes))")
    return state
  }

  /// What a step is: its command, the tool and the fingerprints of what it reads.
  private func key(of prepared: Prepared) throws -> String {
    var text = "\(Weir.tool)\n\(prepared.line)\n"
    for input in prepared.inputs {
      text += "\(input) \(try Fingerprint.of(input) ?? "missing")\n"
    }
    // A report is made from what all other steps left.
    if prepared.commands.contains(where: { $0 is ReportCommand }) {
      for step in recipe.steps where step.name != prepared.step.name {
        text += "\(step.name) \(StepState.read("\(recipe.run)/steps/\(step.name).json").map { "\($0.key) \($0.seconds)" } ?? "missing")\n"
      }
    }
    return Checksum.hex(Checksum.xxh3(Array(text.utf8)))
  }

  /// Whether everything the step made is still as it was.
  private func isWhole(_ state: StepState) throws -> Bool {
    for (path, fingerprint) in state.outputs where try Fingerprint.of(path) != fingerprint { return false }
    return true
  }

  /// The steps with what they will take, before anything runs.
  func forecast() throws -> [String] {
    var world = Forecast()
    var rows: [[String]] = []
    var flops = 0.0
    for (index, prepared) in try prepare().enumerated() {
      var row = Forecast.Row()
      for command in prepared.commands {
        let next = try command.forecast(&world)
        row.documents = next.documents ?? row.documents
        row.tokens = next.tokens ?? row.tokens
        row.flops = next.flops.map { $0 + (row.flops ?? 0) } ?? row.flops
        row.memory = next.memory.map { max($0, row.memory ?? 0) } ?? row.memory
        row.disk = next.disk.map { $0 + (row.disk ?? 0) } ?? row.disk
      }
      flops += row.flops ?? 0
      let state = StepState.read("\(recipe.run)/steps/\(prepared.step.name).json")
      let done = try state.map { try $0.key == key(of: prepared) && isWhole($0) } ?? false
      rows.append(["\(index + 1) \(prepared.step.name)"] + row.cells + [done ? "up to date" : "to do"])
    }
    return [
      Format.table(["step"] + Forecast.Row.header + ["state"], rows),
      "  \(Format.short(flops)) FLOPs in all; documents are counted, tokens estimated where there is no dataset yet",
    ]
  }
}
