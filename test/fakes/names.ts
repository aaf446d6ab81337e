/** The queue pair of production, as the fakes name it. */
export const TASK_QUEUE = 'analysis-tasks';
export const DONE_QUEUE = 'analysis-done';
