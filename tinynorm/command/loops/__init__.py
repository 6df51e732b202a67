"""A network whose forward, backward and step stand in one loop, or in one function that trains: they are taken apart."""
