import Pipeline
import Storage

/// A command as a recipe sees it. The executable's commands conform.
package protocol RecipeCommand {
  /// Files and folders that the command reads.
  var inputs: [String] { get }
  /// Files and folders that the command writes.
  var outputs: [String] { get }
  /// The random seed, if the command uses one.
  var randomSeed: UInt64? { get }
  /// The model that a training command starts from.
  var initialModel: String? { get }
  /// Whether the command reads the states of all other steps, as the report does.
  var readsOtherSteps: Bool { get }
  /// Estimates the cost of the command and records the sizes of its outputs for the commands after it.
  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row
}

extension RecipeCommand {
  package var outputs: [String] { [] }
  package var randomSeed: UInt64? { nil }
  package var initialModel: String? { nil }
  package var readsOtherSteps: Bool { false }
  package func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row() }
}

/// Parses and runs the command lines of recipe steps.
package protocol RecipeInterpreter {
  /// Parses the commands of a step; the stages of a pipe are several.
  /// - Parameter place: the step, for errors.
  func parse(_ commands: [[String]], place: String) throws -> [any RecipeCommand]
  /// Runs the commands of a step in one process.
  /// - Throws: `WeirError`, also if too many records were quarantined.
  func perform(_ commands: [any RecipeCommand], step: String) throws -> Outcome
}

/// The result of a command, or of the commands of one step.
package struct Outcome {
  /// The accounts of all stages.
  package var accounts: [Account]
  /// The machine-readable report, which `--json` prints and a recipe stores.
  package var report: JSONValue
  /// The summary for a person.
  package var lines: [String]
  /// The fraction of quarantined records above which the command counts as failed.
  package var maxBad: Double

  package init(accounts: [Account] = [], report: JSONValue = .object([:]), lines: [String] = [], maxBad: Double = 1) {
    (self.accounts, self.report, self.lines, self.maxBad) = (accounts, report, lines, maxBad)
  }
}
