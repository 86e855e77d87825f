/** As the client itself says that a connection was lost. */
export const lostConnection = (): Error =>
  Object.assign(new Error('the connection to the database was lost'), { code: 'CONNECTION_CLOSED' });
