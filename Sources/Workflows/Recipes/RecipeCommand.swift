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
  func perform(_ commands: [any RecipeCommand]) throws -> StepResult
}

/// The result of the commands of one step.
package struct StepResult {
  package var accounts: [Account]
  package var report: JSONValue
  /// Why the step counts as failed although it finished: too many quarantined records.
  package var complaint: String?
  /// Results for a person, a line each.
  package var lines: [String]

  package init(accounts: [Account], report: JSONValue, complaint: String? = nil, lines: [String] = []) {
    self.accounts = accounts
    self.report = report
    self.complaint = complaint
    self.lines = lines
  }
}
