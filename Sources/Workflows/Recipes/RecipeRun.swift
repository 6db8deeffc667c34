import Documents
import Pipeline
import Primitives
import Storage

/// Runs a recipe: skips the steps that are up to date and resumes the others.
///
/// A step is up to date if its key (tool, command line, fingerprints of the inputs) and its outputs are unchanged.
package struct RecipeRun {
  package let recipe: Recipe
  /// The recipe file, for errors.
  package let path: String
  /// The tool and its version, as in manifests.
  package let tool: String
  package let interpreter: any RecipeInterpreter

  package init(_ recipe: Recipe, path: String, tool: String, interpreter: any RecipeInterpreter) {
    (self.recipe, self.path, self.tool, self.interpreter) = (recipe, path, tool, interpreter)
  }

  /// A step whose commands are parsed.
  package struct Prepared {
    package var step: Recipe.Step
    package var commands: [any RecipeCommand]
    package var line: String

    /// What the step reads, apart from its own outputs.
    var inputs: [String] { commands.flatMap(\.inputs).filter { !outputs.contains($0) } }
    var outputs: [String] { commands.flatMap(\.outputs) }
  }

  /// What happens during a run.
  package enum Event {
    /// A step begins; its number counts from 1.
    case begin(number: Int, of: Int, step: Prepared)
    /// A step has finished.
    case end(result: Outcome, state: StepState)
  }

  /// The outcome of a whole run.
  package struct Report {
    package var steps: Int
    /// Steps that were not up to date.
    package var ran: Int
    package var accounts: [Account] = []
    /// The state of the last step.
    package var last: StepState?
  }

  /// The cost of one step, before it runs.
  package struct StepForecast {
    package var name: String
    package var cost: Forecast.Row
    package var isUpToDate: Bool
  }

  /// Parses every command before anything runs, so that a mistake in the last step is found in the first second.
  package func prepare() throws -> [Prepared] {
    let steps = try recipe.steps.map { step in
      let words = try recipe.commands(of: step, path: path)
      return Prepared(
        step: step, commands: try interpreter.parse(words, place: "\(path): step \(step.name)"),
        line: words.map { $0.joined(separator: " ") }.joined(separator: " | "))
    }
    var writers: [[Substring]: String] = [:]
    for prepared in steps {
      for output in prepared.outputs where output != "-" {
        let writer = writers.updateValue(
          prepared.step.name, forKey: (output.hasPrefix("/") ? ["/"] : []) + output.split(separator: "/").filter { $0 != "." })
        guard let writer, writer != prepared.step.name else { continue }
        throw WeirError(
          path, "steps \(writer) and \(prepared.step.name) both write \(output)", remedy: "give each step an output of its own")
      }
    }
    return steps
  }

  /// Runs all steps that are not up to date.
  /// - Throws: `Stopped` between two steps if `progress` says so, and the first error of a step.
  package func run(progress: Progress, observe: (Event) -> Void) throws -> Report {
    let steps = try prepare()
    let folder = RecipeFolder(recipe.run)
    let lock = try OutputLock(filling: folder.steps)
    defer { lock.release() }
    let copy = folder.recipe
    if (try? JSONFile.read(Recipe.self, from: copy)) != recipe { try folder.sealing(copy) { try JSONFile.write(recipe, to: copy) } }
    var report = Report(steps: steps.count, ran: 0)
    for (index, prepared) in steps.enumerated() {
      try progress.checkStop()
      let key = try self.key(of: prepared)
      var state = self.state(of: prepared.step.name)
      if let known = state, known.key == key, try known.isIntact {
        report.accounts += known.accounts
      } else {
        report.ran += 1
        observe(.begin(number: index + 1, of: steps.count, step: prepared))
        let (result, made) = try perform(prepared, key: key)
        observe(.end(result: result, state: made))
        report.accounts += made.accounts
        state = made
      }
      report.last = state
    }
    return report
  }

  /// Estimates the cost of every step, in order; runs nothing.
  package func forecast() throws -> [StepForecast] {
    var forecast = Forecast()
    return try prepare().map { prepared in
      var cost = Forecast.Row()
      for command in prepared.commands { cost.add(try command.forecast(&forecast)) }
      let isUpToDate = try state(of: prepared.step.name).map { try $0.key == key(of: prepared) && $0.isIntact } ?? false
      return StepForecast(name: prepared.step.name, cost: cost, isUpToDate: isUpToDate)
    }
  }

  private func statePath(_ step: String) -> String { RecipeFolder(recipe.run).state(of: step) }
  private func state(of step: String) -> StepState? { StepState.read(statePath(step)) }

  private func perform(_ prepared: Prepared, key: String) throws -> (Outcome, StepState) {
    let start = ContinuousClock.now
    let statePath = statePath(prepared.step.name)
    let attemptPath = statePath + ".attempts"
    // The time of failed attempts at the same work counts, so that an interrupted run reports what it really took.
    let earlier = (try? JSONFile.read([String: Double].self, from: attemptPath))?[key] ?? 0
    let result: Outcome
    do { result = try interpreter.perform(prepared.commands, step: prepared.step.name) } catch {
      try? JSONFile.write([key: earlier + (ContinuousClock.now - start).seconds], to: attemptPath)
      throw error
    }
    var outputs: [String: String] = [:]
    for output in prepared.outputs { outputs[output] = try Fingerprint.of(output, registry: .all) }
    let state = StepState(
      key: key, command: prepared.line, randomSeed: prepared.commands.lazy.compactMap(\.randomSeed).first,
      initialModel: prepared.commands.lazy.compactMap(\.initialModel).first, seconds: earlier + (ContinuousClock.now - start).seconds,
      bytes: prepared.outputs.reduce(0) { $0 + Fingerprint.bytes($1) }, outputs: outputs, accounts: result.accounts, report: result.report)
    try RecipeFolder(recipe.run).sealing(statePath) { try JSONFile.write(state, to: statePath) }
    try? Files.remove(attemptPath)
    return (result, state)
  }

  private func key(of prepared: Prepared) throws -> String {
    var text = "\(tool)\n\(prepared.line)\n"
    for input in prepared.inputs {
      let fingerprint = try ObjectStore.isAddress(input) ? ObjectStore.fingerprint(input) : Fingerprint.of(input, registry: .all)
      text += "\(input) \(fingerprint ?? "missing")\n"
    }
    if prepared.commands.contains(where: \.readsOtherSteps) {
      for step in recipe.steps where step.name != prepared.step.name {
        text += "\(step.name) \(state(of: step.name).map { "\($0.key) \($0.seconds)" } ?? "missing")\n"
      }
    }
    return Checksum.hex(Checksum.xxh3(Array(text.utf8)))
  }
}
